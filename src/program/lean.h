/*
 * A fork of the worker that takes along only what a guard needs.
 *
 * fork(2) copies the list of what is mapped, and most of that belongs to libraries of which
 * only sessions and logs need anything: libpq alone brings thirty.  They are left out.
 *
 * So the child must not call them.  Nor does it run what they asked to be run after a fork
 * (pthread_atfork(3)): with threads beside the loop, as modules and `http` have them, or with
 * code of a module that may fork by itself, the fork is an ordinary one.  So it is where this
 * program was linked without "-z now".
 */
#ifndef PGCREW_PROGRAM_LEAN_H
#define PGCREW_PROGRAM_LEAN_H

#include <sys/types.h>

struct conf;

/* Once, in the worker, before the first fork. */
void lean_init(const struct conf *conf);
/* As fork(2).  The child uses libc and our own code. */
pid_t lean_fork(void);

#endif
