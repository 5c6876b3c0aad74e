/*
 * W3C Trace Context.
 */
#ifndef PGCREW_HANDLER_TRACE_H
#define PGCREW_HANDLER_TRACE_H

#include "base/base.h"

#define TRACE_PARENT_SIZE 56 /* "00-", 32 and 16 hex digits, "-01", a NUL */

/* Version 00, a new trace and its first span, sampled. */
void trace_parent(char ret[TRACE_PARENT_SIZE]);

#endif
