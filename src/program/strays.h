/*
 * Strays: children of this process that belong to no attempt.  They come to us,
 * a subreaper, when a guard was killed or could not wait any longer.
 */
#ifndef PGCREW_PROGRAM_STRAYS_H
#define PGCREW_PROGRAM_STRAYS_H

#include <sys/types.h>

#include "base/base.h"

/* A child that is no stray, from its fork until it has been reaped. */
void strays_spare(pid_t child);
void strays_unspare(pid_t child);

/*
 * KILL to all strays and what is below them.  Returns how many strays were
 * alive; again until it returns 0.  The loop reaps them.
 */
size_t strays_kill(void);

#endif
