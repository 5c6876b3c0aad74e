/*
 * Running a job, whatever way its kind is run: one interface, one struct a
 * running attempt.
 *
 * A way of running is a row in registry.c.  The worker starts an attempt with
 * handler_start(), hears of its progress, and hears exactly once how it ended.
 * Nothing here knows of the database or of claims.
 */
#ifndef PGCREW_HANDLER_HANDLER_H
#define PGCREW_HANDLER_HANDLER_H

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "base/loop.h"

struct conf;
struct handler_conf;

/* What a handler may know of its job.  All text lives as long as the attempt. */
struct job {
    int64_t id;
    int64_t token;
    const char *kind;
    const char *queue;
    int priority;
    int attempt; /* 1 for the first */
    int max_attempts;
    const char *batch_id; /* "" when none */
    const char *user_id;  /* "" when none */
    const char *origin;   /* names the queue of its database; with id, no other job is so called */
    const char *payload;  /* JSON text */
    size_t payload_len;
};

/* Why an attempt ended the way it did; stored in pgcrew.attempts.cause. */
enum run_cause {
    RUN_OK,
    RUN_FAILED,    /* exit status other than the ones below */
    RUN_SIGNAL,    /* ended by a signal nobody here sent */
    RUN_TIMEOUT,   /* its deadline passed */
    RUN_PERMANENT, /* said "never again": exit 64, 65 */
    RUN_TEMPFAIL,  /* said "again, do not count it": exit 75 */
    RUN_CANCELLED, /* stopped because its cancellation was asked for */
    RUN_STOPPED,   /* stopped because the worker stops or lost its lease */
    RUN_NO_START,  /* what runs it is missing or broken: not the job's fault, not charged */
    RUN_OOM,       /* the kernel ended it for its memory */
    RUN_LIMIT,     /* another limit of its kind was reached; error says which */
    RUN_PROTOCOL,  /* a program broke the protocol of pgcrew-handler(7) */
    RUN_SNOOZED,   /* said "again in wait_ms, do not count it" */
    RUN_SETTLED,   /* its end is in the database already, see worker/sqlway.c */
};

const char *run_cause_name(enum run_cause cause);

struct run_end {
    enum run_cause cause;
    int exit_status;   /* -1 when none */
    int signal;        /* 0 when none */
    char *result;      /* JSON text that PostgreSQL accepts, or NULL; lives in the run's arena */
    char *error;       /* one line for people, NULL when RUN_OK */
    char *stderr_tail; /* the last limits.stderr_tail bytes, printable, or NULL */
    int64_t ran_ms;
    int64_t wait_ms; /* until the next attempt, as the handler asked for; -1: it did not */
    /* What the handler and the processes it waited for used; 0 when not known. */
    int64_t user_ms, system_ms, max_rss_bytes;
};

/* A run_end that says nothing but how it ended. */
#define RUN_END(because)                                                                           \
    {                                                                                              \
        .cause = (because), .exit_status = -1, .wait_ms = -1                                       \
    }

struct run;

struct run_events {
    /* percent 0..100 or negative when unknown; note may be NULL; both as the handler said them */
    void (*progress)(struct run *run, float percent, const char *note);
    /* Exactly once for each started run.  The run is still valid; the owner frees it. */
    void (*ended)(struct run *run, const struct run_end *end);
};

/* One attempt.  The worker fills the first part, the way of running keeps the rest. */
struct run {
    struct job job;
    const struct handler_conf *handler;
    const struct conf *conf;
    struct ev_loop *loop;
    const struct run_events *events;
    void *owner;
    struct arena arena; /* everything of this attempt */
    void *way;          /* private to the way of running */
};

/*
 * Start.  False: nothing runs and ended() will not be called; ERR_RETRY is a lack of
 * resources (fork, descriptors), ERR_CONFIG a handler that cannot run at all.
 */
bool handler_start(struct run *run, struct err *err) MUST_CHECK;

/*
 * End it early: TERM to the whole tree, after the grace KILL to the whole tree.
 * cause is RUN_CANCELLED, RUN_TIMEOUT or RUN_STOPPED and becomes the cause of
 * the end unless the handler had ended by itself.  A second call does nothing.
 */
void handler_stop(struct run *run, enum run_cause cause);
/* KILL at once (the lease is about to end). */
void handler_kill(struct run *run, enum run_cause cause);

/*
 * Take it back if it was started and has not begun: it waits inside its way.  True: it will
 * not begin, and ended() will not be called.
 */
bool handler_retract(struct run *run);
/* Runs this kind in a way that takes jobs beyond the slots and runs one after the other? */
bool handler_is_serial(const struct conf *conf, const char *kind);

/* Free what the way keeps, after ended(). */
void handler_forget(struct run *run);

/* Is there a way to run this kind here?  NULL when not. */
const struct handler_conf *handler_for(const struct conf *conf, const char *kind);

/*
 * Once per process, before the first start: subreaper, what the kinds of conf need
 * (modules are loaded here).  A handler that is broken is logged; its jobs end as RUN_NO_START.
 */
void handler_init(struct ev_loop *loop, const struct conf *conf);
/* No job will be started any more, and none runs: end what is kept between jobs.  Does not wait. */
void handler_end(void);

/*
 * Why this process must not start more jobs, for the log; NULL as long as it may.  A module
 * whose function did not return in time keeps its thread for ever.
 */
const char *handler_spoiled(void);

/*
 * Look at each handler more closely than conf_load() does: opens modules, which runs code of
 * theirs, so not in the supervisor.  ERR_CONFIG.
 */
bool handler_check(const struct conf *conf, struct err *err) MUST_CHECK;

/*
 * watch is called with the id of a job right before code of its handler runs inside this
 * process, and with 0 right after; in whatever thread that is.  Before handler_init().
 */
void handler_watch_inside(void (*watch)(void *owner, int64_t job_id), void *owner);

#endif
