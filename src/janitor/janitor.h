/*
 * The janitor process: renews leases, reaps dead holders, promotes scheduled
 * jobs, listens for news.  Its loop is janitor_main().
 */
#ifndef PGCREW_JANITOR_JANITOR_H
#define PGCREW_JANITOR_JANITOR_H

#include "ipc/child.h"

/* As worker_main(): runs in a freshly forked child, returns the exit status. */
int janitor_main(const struct child *child);

#endif
