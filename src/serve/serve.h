/*
 * Programs that are started once and work on many jobs: what the files of this
 * way know of each other.
 *
 * A pool for each handler: jobs wait in it until a program can take them.  What
 * happens (a start, a frame, an end) is only noted; once before the loop waits,
 * the pool's turn looks at all of it: hands jobs out, starts programs, and
 * writes what each program is to hear in one go.
 */
#ifndef PGCREW_SERVE_SERVE_H
#define PGCREW_SERVE_SERVE_H

#include <sys/queue.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "config/conf.h"
#include "handler/complaint.h"
#include "handler/handler.h"
#include "handler/lines.h"
#include "program/guarded.h"
#include "serve/frame.h"

struct serve_pool;
struct serve_program;

/* A run, from its start to its end. */
struct serve_job {
    TAILQ_ENTRY(serve_job) link; /* of the pool while it waits, then of its program */
    struct run *run;
    struct serve_pool *pool;
    struct serve_program *program; /* NULL: it waits in the pool */
    int64_t ref;                   /* its number in frames */
    int64_t sent_mono;             /* 0: not sent yet */
    ev_timer timer;                /* its deadline; when it was asked to end, the grace */
    bool asked;                    /* somebody wanted it to end early ... */
    enum run_cause cause;          /* ... and why */
    bool over;
    struct complaint *complaint; /* NULL: nothing was printed for it */
};

TAILQ_HEAD(serve_jobs, serve_job);

enum serve_state {
    SERVE_STARTING, /* has not said hello */
    SERVE_READY,    /* takes jobs */
    SERVE_LEAVING,  /* takes no more: it was told to drain, or has closed its socket */
    SERVE_ENDING,   /* is being killed */
    SERVE_GONE,     /* nothing of it lives; freed in the next turn */
};

/* Why we ended it. */
enum serve_fault {
    SERVE_NO_FAULT,
    SERVE_BROKE_PROTOCOL, /* broke the protocol: nothing it says counts any more */
    SERVE_SILENT,         /* gives no sign of life */
    SERVE_SACRIFICED      /* no fault of its own: one of its jobs had to end */
};

/* stdout or stderr of a program. */
struct serve_stream {
    struct serve_program *program;
    int fd; /* -1 after its end */
    ev_io io;
    struct lines lines;
};

struct serve_program {
    TAILQ_ENTRY(serve_program) link;
    struct serve_pool *pool;
    struct arena arena;
    const char *name; /* "program 3 (mail)" */
    enum serve_state state;
    enum serve_fault fault;
    char why[512]; /* it ends, or has ended: "was killed by signal 9 (KILL)" */
    struct guarded guarded;

    int sock; /* -1 when it has been closed */
    ev_io readable, writable;
    struct buf in, out;
    size_t out_done; /* of out is sent */
    struct serve_stream streams[2];
    struct complaint complaint;

    struct serve_jobs jobs; /* in hand */
    int n_jobs, room;
    int64_t last_ref; /* how many jobs it was given */
    bool drained;     /* it was told to drain */

    int64_t ready_mono; /* 0: has not said hello */
    bool heartbeat, beat_asked;
    int64_t beat_number, measured_mono;
    /* hello and heartbeats; the time to leave; its age; its memory; a full socket */
    ev_timer life, leave, age, measure, stall;
};

TAILQ_HEAD(serve_programs, serve_program);

struct serve_pool {
    SLIST_ENTRY(serve_pool) link;
    const struct handler_conf *handler;
    const struct conf *conf;
    struct ev_loop *loop;
    bool ended; /* no job comes any more; freed when its last program has gone */
    struct serve_programs programs;
    struct serve_jobs waiting;
    int n_waiting;
    int n_started;      /* programs, ever: their numbers */
    int room;           /* of the last program that said hello */
    bool proven;        /* one said hello, and none has failed since */
    char broken[512];   /* why programs end before they take a job; "" when they do not */
    int64_t retry_mono; /* no start before this */
    struct backoff backoff;
    ev_timer retry;
    ev_prepare turn;
};

/* pool.c */
/* The pool of this run's handler; made when there is none. */
struct serve_pool *serve_pool_of(const struct run *run);
/* False: a job that came now would end at once, ERR_CONFIG says why. */
bool serve_pool_works(const struct serve_pool *pool, struct err *err) MUST_CHECK;
void serve_pool_turn_soon(struct serve_pool *pool);
/* The program has gone; the jobs that it had in hand have been told. */
void serve_pool_lost(struct serve_pool *pool, struct serve_program *program, int in_hand);
void serve_pools_end(void);

/* job.c */
void serve_job_wait(struct serve_pool *pool, struct run *run);
void serve_job_send(struct serve_job *job, struct serve_program *program);
void serve_job_stop(struct serve_job *job, enum run_cause cause);
void serve_job_kill(struct serve_job *job, enum run_cause cause);
/* NULL: the program has no such job in hand. */
struct serve_job *serve_job_find(const struct serve_program *p, int64_t ref);
/* Tell its end, which is another if it was asked to end; the job may be gone then. */
void serve_job_end(struct serve_job *job, struct run_end *end);
struct complaint *serve_job_complaint(struct serve_job *job);

/* program.c */
bool serve_program_start(struct serve_pool *pool, struct err *err) MUST_CHECK;
/* Can it be given another job? */
bool serve_program_has_room(const struct serve_program *p);
/* No more jobs for it; why is for the log, NULL: not worth a line. */
void serve_program_drain(struct serve_program *p, const char *why);
/* One of its jobs has ended: is it time to go? */
void serve_program_look(struct serve_program *p);
/* Kill it now; the format says why, after its name. */
void serve_program_kill(struct serve_program *p, enum serve_fault fault, const char *format, ...)
    PRINTF_LIKE(3, 4);
void serve_program_said_hello(struct serve_program *p);
void serve_program_answered(struct serve_program *p); /* a heartbeat */
void serve_program_closed(struct serve_program *p);   /* its end of the socket */
/* No job runs, none will come: quit, and the end of the stream. */
void serve_program_close(struct serve_program *p);
void serve_program_free(struct serve_program *p);

/* write.c */
void serve_write_init(struct serve_program *p);
/* Write p->out, as much of it as fits; the rest when there is room again. */
void serve_write(struct serve_program *p);
/* So much is unwritten that it gets no more jobs. */
bool serve_is_full(const struct serve_program *p);

/* hear.c */
/* One read of its socket, and the frames in it. */
void serve_hear(struct serve_program *p);
/* Until nothing is left, but no more than fits into a socket. */
void serve_hear_all(struct serve_program *p);
/*
 * There are going to be so many jobs in hand: hear what was printed up to now, if
 * it would be taken for another's then.
 */
void serve_hear_printed(struct serve_program *p, int in_hand);
/* It has died: the rest of what it said. */
void serve_hear_last(struct serve_program *p);
/* Its stdout or stderr from now on; fd becomes the program's. */
void serve_hear_stream(struct serve_program *p, size_t i, int fd);

/* end.c */
/* Nothing of it lives: tell its jobs, and the pool. */
void serve_program_gone(struct serve_program *p);

#endif
