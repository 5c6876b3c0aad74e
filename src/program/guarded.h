/*
 * A guard (guard.h) as its worker sees it: started, told to end a rung higher
 * each time, and gone only when nothing of what it guarded is left.
 */
#ifndef PGCREW_PROGRAM_GUARDED_H
#define PGCREW_PROGRAM_GUARDED_H

#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/conf.h"
#include "program/confine.h"
#include "program/guard.h"

/* How it is ended early: a rung higher whenever the time of the last is over. */
enum guarded_rung { GUARDED_RUNS, GUARDED_TERM, GUARDED_KILL, GUARDED_GUARD };

struct guarded {
    /* The owner fills these. */
    struct ev_loop *loop;
    int64_t grace_ms; /* between TERM and KILL */
    const char *name; /* for the log: "job 4711 (mail)" */
    /* Nothing of it lives any more, has_report and guard_status are set.  Once. */
    void (*gone)(struct guarded *g);
    void *owner;

    pid_t guard;      /* 0 when it has been reaped */
    bool has_report;  /* false: the guard did not live to write one */
    int guard_status; /* of the guard itself */
    struct guard_report report;

    enum guarded_rung rung;
    struct confine confine;
    bool is_sweeping;  /* nothing below it lives, its folder is being removed */
    bool is_abandoned; /* it was killed: what it made is ours to remove */
    int report_fd;
    int64_t hunt_until_mono;
    ev_child end;
    ev_timer ladder, hunt;
};

struct guarded_order {
    const struct handler_conf *handler; /* what to run, and within which limits */
    int64_t job_id;                     /* 0: not for one job */
    const char *const *envp; /* the environment; where its folder and home are is added */
    int fds[GUARD_FDS];      /* become 0..3; they stay the caller's */
    struct arena *arena;     /* lives as long as the struct guarded */
};

/*
 * Start it.  False: nothing runs; ERR_RETRY is a lack of resources, ERR_CONFIG a
 * program that cannot be confined as it should be.
 */
bool guarded_start(struct guarded *g, const struct guarded_order *order,
                   struct err *err) MUST_CHECK;

/* TERM to all of it, after the grace KILL.  Does nothing when it was told so already. */
void guarded_term(struct guarded *g);
/* KILL to all of it now. */
void guarded_kill(struct guarded *g);

#endif
