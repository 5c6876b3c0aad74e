/*
 * Log lines for the person at 3 a.m.: what happened, to whom, what we do next.
 *
 * One line to standard error for each call.  The prefix ("worker 3: job 4711
 * (mail): ") comes from the process and the job, not from the caller's text.
 * Where standard error is the journal of systemd (JOURNAL_STREAM names it) the line
 * starts with the <N> of its level, and a line that belongs to a job has fields of its
 * own there: PGCREW_JOB_ID, PGCREW_KIND, PGCREW_PROCESS.
 * Control characters are written as \xNN: what comes from outside cannot make
 * lines or fields of its own.  Never payloads, never secrets.
 */
#ifndef PGCREW_BASE_LOG_H
#define PGCREW_BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
/* "supervisor", "janitor", "worker 3"; copied. */
void log_set_process(const char *name);

bool log_wanted(enum log_level level);
void log_at(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);
/*
 * A line that belongs to a job.  Not for the supervisor or a guard: libsystemd keeps a
 * socket to the journal and does not know when a child of ours has closed it.
 */
void log_job(enum log_level level, int64_t job_id, const char *kind, const char *format, ...)
    PRINTF_LIKE(4, 5);

#define log_error(...) log_at(LOG_LEVEL_ERROR, __VA_ARGS__) /* somebody should look */
#define log_warn(...) log_at(LOG_LEVEL_WARN, __VA_ARGS__)   /* we go on */
#define log_info(...) log_at(LOG_LEVEL_INFO, __VA_ARGS__)   /* life of processes */
#define log_debug(...)                                                                             \
    do {                                                                                           \
        if (log_wanted(LOG_LEVEL_DEBUG))                                                           \
            log_at(LOG_LEVEL_DEBUG, __VA_ARGS__); /* every job */                                  \
    } while (0)

#endif
