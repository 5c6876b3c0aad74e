/*
 * A way to run jobs that do nothing, inside the worker: what is left is the queue's.
 */
#ifndef PGCREW_BENCH_NOTHING_H
#define PGCREW_BENCH_NOTHING_H

#include "handler/way.h"

/* Ends each job in the turn of the loop in which it was started. */
extern const struct way way_nothing;

#endif
