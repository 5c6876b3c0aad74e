/*
 * One attempt inside the worker, and the thread that runs them one after the other.
 *
 * module.c  the way: starts, stops, tells how they ended; main thread
 * inside.c  what a function sees and may call; the module's thread
 * thread.c  the queue between the two
 * load.c    shared objects
 */
#ifndef PGCREW_MODULE_MODULE_H
#define PGCREW_MODULE_MODULE_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "handler/complaint.h"
#include "handler/handler.h"
#include "handler/progress.h"
#include "handler/result.h"
#include "pgcrew/handler.h"

enum inside_place { INSIDE_WAITS, INSIDE_RUNS, INSIDE_ENDED };

/*
 * Lies in the arena of its run.  While it runs, the thread owns what is marked so; the
 * main thread may look at it again once module_thread_done() has given it back.
 */
struct inside {
    STAILQ_ENTRY(inside) link;
    struct run *run; /* not for the thread: it may be gone when the attempt was abandoned */
    pgcrew_run *function;
    enum inside_place place; /* under the lock of the thread's queue */
    int64_t begun_mono_ms;   /* the same; 0: not yet */

    /* The main thread's. */
    bool asked; /* to end early */
    bool must_exit;
    enum run_cause asked_cause;
    int64_t patience_mono_ms; /* until when it may take to end */

    /* Between the two. */
    atomic_bool cancelled;
    bool abandoned; /* under the lock */

    /* The thread's. */
    struct pgcrew_job job;
    struct job facts; /* for the log */
    const struct conf *conf;
    struct arena arena; /* what the function asked for */
    struct result output;
    struct complaint complaint; /* once it has logged something */
    bool has_logged;
    enum pgcrew_end said;
    int64_t wait_ms, ended_mono_ms;
    const char *error, *result, *stderr_tail;
};

STAILQ_HEAD(inside_list, inside);

/* inside.c */
struct inside *inside_new(struct run *run, pgcrew_run *function);
void inside_ask(struct inside *x); /* from now on it is cancelled */
void inside_run(struct inside *x); /* in the thread */
void inside_release(struct inside *x);

/* thread.c: the main thread calls all but one of these. */
/* rung is sent when something has ended or progressed.  Once; then it does nothing. */
bool module_thread_start(struct ev_loop *loop, ev_async *rung, struct err *err) MUST_CHECK;
void module_thread_give(struct inside *x);
bool module_thread_take_back(struct inside *x); /* false: it has begun */
struct inside *module_thread_current(void);     /* NULL: none */
struct inside *module_thread_done(void);        /* the next that has ended; NULL: no more */
bool module_thread_has_more(void);              /* something waits to be run, or to be told */
/* What the running one said since the last call, and which one it is; NULL: nothing. */
struct inside *module_thread_progress(struct progress *ret);
/* The thread may keep it; false: it has ended, module_thread_done() gives it back. */
bool module_thread_abandon(struct inside *x);
/* False: a function does not return, the thread cannot be ended. */
bool module_thread_end(void);
/* In the thread: the running one says how far it is. */
void module_thread_say(struct inside *x, const struct progress *said);

#endif
