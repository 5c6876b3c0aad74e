/*
 * Which limit of its kind ended a program, and how people are told.
 */
#ifndef PGCREW_HANDLER_LIMITS_H
#define PGCREW_HANDLER_LIMITS_H

#include "base/arena.h"
#include "base/base.h"
#include "config/conf.h"
#include "handler/guard.h"
#include "handler/handler.h"

/*
 * Did a limit end it, or make it fail?  Then RUN_OOM or RUN_LIMIT, and a line that
 * names the limit; else false.  For a program that ran and was not told to end.
 */
bool limits_hit(const struct guard_report *report, const struct handler_conf *handler,
                struct arena *a, enum run_cause *ret_cause, char **ret_text);

/* The largest file it may write: file_size, and not more than its folder may hold; 0: no limit. */
size_t limits_file_size(const struct handler_conf *handler);

#endif
