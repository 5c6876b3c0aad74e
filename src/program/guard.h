/*
 * The guard of one attempt: a small process between the worker and the handler.
 *
 * It starts the handler in a session of its own, waits for it, and sees to it
 * that nothing of it is left: it is a subreaper, so whatever the handler starts,
 * however often that forks, is below the guard.  When the handler has ended, all
 * that it left behind is killed at once; when the worker dies, everything is.
 *
 * What the handler is confined to is made here, too, and cleared after the report
 * was written; the guard ends when that is done, with 0 when its folder is empty.
 *
 * The worker talks to it by signals and hears of the end by SIGCHLD; by then
 * the guard has written one struct guard_report.  A guard that ends without a
 * report was killed: its handler dies with it, what that had started becomes a
 * stray of the worker (strays.h).
 */
#ifndef PGCREW_PROGRAM_GUARD_H
#define PGCREW_PROGRAM_GUARD_H

#include <signal.h>
#include <sys/types.h>

#include "base/base.h"

/* TERM to every process below the guard, once. */
#define GUARD_SIG_TERM SIGTERM
/* KILL to every process below the guard until none is left. */
#define GUARD_SIG_KILL SIGUSR1

/* How far the start of a handler came. */
enum guard_step {
    GUARD_STARTED,
    GUARD_FORK,
    GUARD_CHDIR,
    GUARD_EXEC,
    GUARD_INTERPRETER, /* the program may be run, what its first line names may not */
    GUARD_FOLDER,      /* its temporary folder cannot be made */
    GUARD_GROUP,       /* nor its control group, or it does not take a limit */
    GUARD_LIMIT,
    GUARD_USER,
    GUARD_FILTER,
};

/* What ended it, or was refused to it. */
enum guard_limit {
    GUARD_NO_LIMIT,
    GUARD_MEMORY,    /* the kernel killed all of it */
    GUARD_PROCESSES, /* killed by the guard, or a fork was refused */
    GUARD_TMP_SIZE,  /* killed by the guard */
};

struct guard_report {
    enum guard_step failed_step; /* GUARD_STARTED: the handler ran */
    int start_errno;
    int wait_status; /* of the handler, as waitpid(2) says it */
    bool stopped;    /* a signal of ours was sent before the handler had ended */
    uint32_t left;   /* direct children that did not die: now the worker's */
    enum guard_limit limit;
    /* Of all in its control group; without one, of the handler and what it waited for. */
    int64_t user_ms, system_ms, max_rss_bytes;
};

#define GUARD_FDS 4 /* 0, 1, 2 and the progress pipe, 3 */

struct confine;

struct guard_order {
    int64_t job_id; /* shown by ps */
    const char *program;
    const char *const *argv;
    const char *const *envp; /* the whole environment */
    const char *workdir;     /* NULL: its temporary folder; without one, stay */
    int nice;                /* added to ours */
    int fds[GUARD_FDS];      /* become 0..3 of the handler */
    int report_fd;           /* a pipe */
    const struct confine *confine;
};

/* Fork a guard.  -1 with errno set when that fails.  All descriptors stay the caller's. */
pid_t guard_start(const struct guard_order *order) MUST_CHECK;

#endif
