/*
 * A way of running jobs: what handler.h promises, once per way.
 *
 * Adding a way?  A room of its own, a row in registry.c, an example in contrib/handlers.
 */
#ifndef PGCREW_HANDLER_WAY_H
#define PGCREW_HANDLER_WAY_H

#include "config/conf.h"
#include "handler/handler.h"

struct way {
    /* Once per process; NULL: nothing to do.  end: no job runs any more. */
    void (*init)(struct ev_loop *loop, const struct conf *conf);
    void (*end)(void);
    const char *(*spoiled)(void); /* NULL: never */
    /* Can this handler work here, as far as that can be told without a job?  NULL: yes. */
    bool (*check)(const struct handler_conf *h, struct err *err);
    bool (*start)(struct run *run, struct err *err);
    void (*stop)(struct run *run, enum run_cause cause);
    void (*kill)(struct run *run, enum run_cause cause);
    void (*forget)(struct run *run);
    /* Only of a way that runs one job after the other and takes more than one; see handler.h. */
    bool (*retract)(struct run *run);
};

extern const struct way way_exec;   /* a program per job: room program */
extern const struct way way_serve;  /* a program for many jobs: room serve */
extern const struct way way_module; /* a function of a shared object: room module */
extern const struct way way_http;   /* a request per job: room http */

/* "10 min", "512 MiB": as the configuration writes it, with the space that people expect. */
char *way_duration(struct arena *a, int64_t ms) MUST_CHECK;
char *way_bytes(struct arena *a, size_t n) MUST_CHECK;
/* The error of an attempt that was ended early: its timeout, a cancellation, a stop. */
char *way_asked_error(struct run *run, enum run_cause cause) MUST_CHECK;

/* Tells who watches, see handler_watch_inside(). */
void handler_inside(int64_t job_id);

/* A way that needs more than this room may know is put in by its owner: sql, by the worker. */
void way_put(enum conf_way name, const struct way *way);

#endif
