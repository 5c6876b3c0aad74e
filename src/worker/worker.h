/*
 * The worker process: claim, run, finish.  Its loop is worker_main().
 */
#ifndef PGCREW_WORKER_WORKER_H
#define PGCREW_WORKER_WORKER_H

#include "ipc/child.h"

/*
 * Runs in a freshly forked child whose signals are reset and whose inherited
 * descriptors are closed; makes its own loop.  Returns the exit status.
 */
int worker_main(const struct child *child);

#endif
