/*
 * A way of running jobs: what handler.h promises, once per way.
 *
 * Adding a way?  A file here, a row in registry.c, a skeleton in contrib/handlers.
 */
#ifndef PGCREW_HANDLER_WAY_H
#define PGCREW_HANDLER_WAY_H

#include "handler/handler.h"

struct way {
    const char *name;
    bool (*start)(struct run *run, struct err *err);
    void (*stop)(struct run *run, enum run_cause cause);
    void (*kill)(struct run *run, enum run_cause cause);
    void (*forget)(struct run *run);
};

extern const struct way way_exec; /* a program per job: exec.c */

#endif
