/*
 * The supervisor process: forks the janitor, the workers and who serves HTTP, starts again
 * what died, passes orders on, answers on the control socket.  Speaks no SQL.
 */
#ifndef PGCREW_SUPERVISOR_SUPERVISOR_H
#define PGCREW_SUPERVISOR_SUPERVISOR_H

#include "config/conf.h"
#include "ipc/child.h"

struct supervisor_plan {
    struct conf_source source; /* where a reload reads again */
    struct conf *conf;         /* what it said at the start; the supervisor takes it */
    int (*worker_main)(const struct child *child);
    int (*janitor_main)(const struct child *child);
    /* NULL: there is none, whatever the configuration says. */
    int (*gateway_main)(const struct child *child);
    int (*dashboard_main)(const struct child *child);
};

/* Runs until it is told to end; returns the exit status of the program. */
int supervisor_main(const struct supervisor_plan *plan);

#endif
