/*
 * What a guard makes for its program alone, watches, and clears at the end: the
 * control group and the temporary folder.  Used by guard.c only.
 *
 * Its descriptors are opened in the guard, after those of the worker were closed.
 */
#ifndef PGCREW_PROGRAM_CELL_H
#define PGCREW_PROGRAM_CELL_H

#include <sys/types.h>

#include "base/base.h"
#include "program/confine.h"
#include "program/guard.h"

struct cell {
    const struct confine *confine;
    int groups, group;     /* the folder of all groups and of ours; -1: none */
    int64_t check_mono_ms; /* when to look at it next; 0: never */
    int64_t measure_mono_ms;
};

/* GUARD_STARTED, or what could not be made, with errno. */
enum guard_step cell_make(struct cell *cell, const struct confine *confine) MUST_CHECK;

/*
 * Fork into the group, in a copy of the memory; returns in the parent when the child has
 * become another program or has ended.  -1: no group, or a kernel that cannot; then the child
 * goes there itself, by cell_enter().
 */
pid_t cell_fork(const struct cell *cell) MUST_CHECK;
bool cell_enter(const struct cell *cell) MUST_CHECK;

/* The kernel prefers the program to the daemon when memory is short. */
void cell_offer(pid_t program);

/* Milliseconds until cell_check() is due; -1: never. */
int64_t cell_wait_ms(const struct cell *cell);
/* Has a limit been passed that nobody but us watches?  Bounded: it gives up when a signal waits. */
enum guard_limit cell_check(struct cell *cell);

/* KILL to all in the group; false without one. */
bool cell_kill(const struct cell *cell);

/* What the group has counted; when nothing in it lives any more. */
void cell_read(const struct cell *cell, struct guard_report *report);
/*
 * Remove the group, and all that is in the folder; false when something stays in it.
 * Takes long when there are many files.
 */
bool cell_clear(const struct cell *cell);

#endif
