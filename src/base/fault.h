/*
 * Failure points: places where a test can have a process killed, in builds with
 * --enable-faults only.
 *
 * PGCREW_FAULT=sql.sent@/path kills the process that comes to the point sql.sent, once:
 * whoever removes the file at /path first.  A name that is not in the table of fault.c
 * ends the process, so that no test waits for a point that is gone.
 */
#ifndef PGCREW_BASE_FAULT_H
#define PGCREW_BASE_FAULT_H

#include "base/base.h"

#ifdef PGCREW_FAULTS
void fault_here(const char *name);
#else
static inline void
fault_here(UNUSED const char *name)
{
}
#endif

#endif
