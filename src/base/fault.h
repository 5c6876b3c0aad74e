/*
 * Failure points: places where a test can have a process killed, or a call fail, in builds
 * with --enable-faults only.
 *
 * PGCREW_FAULT names a folder.  Who comes to the point claim.sent, and can remove the file
 * claim.sent there, is killed: once.  A file guard.fork:error makes the call at guard.fork
 * fail instead.  PGCREW_FAULT=list has pgcrewd print all of them, from the table in fault.c.
 *
 * Points may be passed between vfork and exec, and in threads.  A point that is not in the
 * table ends the process.
 */
#ifndef PGCREW_BASE_FAULT_H
#define PGCREW_BASE_FAULT_H

#include "base/base.h"

#ifdef PGCREW_FAULTS

#define FAULTS true

/* If PGCREW_FAULT is "list": print a line a point, "name, process, what", and exit. */
void fault_list(void);
void fault_here(const char *point);
/* The same, and: is the call at this point to fail?  Then errno is error. */
bool fault_fails(const char *point, int error);
/* Points of many of a kind: claim.sent, finish.sent. */
void fault_at(const char *of, const char *step);
bool fault_fails_at(const char *of, const char *step, int error);

#else

#define FAULTS false

static inline void
fault_list(void)
{
}

static inline void
fault_here(UNUSED const char *point)
{
}

static inline bool
fault_fails(UNUSED const char *point, UNUSED int error)
{
    return false;
}

static inline void
fault_at(UNUSED const char *of, UNUSED const char *step)
{
}

static inline bool
fault_fails_at(UNUSED const char *of, UNUSED const char *step, UNUSED int error)
{
    return false;
}

#endif

#endif
