/*
 * The command `pgcrew bench`: how fast the queue is in this database.
 *
 * It has a queue of its own, in a schema of its own, made of the same migrations by
 * db/rename.h, and runs the daemon's own processes on it.
 */
#ifndef PGCREW_BENCH_BENCH_H
#define PGCREW_BENCH_BENCH_H

#include "cli/commands.h"

extern const struct cli_option bench_options[];
cli_run bench_run;

#endif
