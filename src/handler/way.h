/*
 * A way of running jobs: what handler.h promises, once per way.
 *
 * Adding a way?  A file here, a row in registry.c, a skeleton in contrib/handlers.
 */
#ifndef PGCREW_HANDLER_WAY_H
#define PGCREW_HANDLER_WAY_H

#include "config/conf.h"
#include "handler/handler.h"

struct way {
    /* Once per process; NULL: nothing to do.  end: no job runs any more. */
    void (*init)(struct ev_loop *loop, const struct conf *conf);
    void (*end)(void);
    bool (*start)(struct run *run, struct err *err);
    void (*stop)(struct run *run, enum run_cause cause);
    void (*kill)(struct run *run, enum run_cause cause);
    void (*forget)(struct run *run);
};

extern const struct way way_exec;  /* a program per job: exec.c */
extern const struct way way_serve; /* a program for many jobs: serve.c */

/* A way that needs more than this room may know is put in by its owner: sql, by the worker. */
void way_put(enum conf_way name, const struct way *way);

#endif
