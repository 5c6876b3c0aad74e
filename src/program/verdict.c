#include "program/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/text.h"
#include "config/conf.h"
#include "handler/way.h"
#include "program/limits.h"

static const char *
signal_name(struct arena *a, int sig)
{
    const char *name = sigabbrev_np(sig);

    return name != NULL ? arena_printf(a, "signal %d (%s)", sig, name)
                        : arena_printf(a, "signal %d", sig);
}

/* --- it never ran -------------------------------------------------------------------- */

/* The host is short of something: not the handler's fault, better luck next time. */
static bool
is_shortage(int why)
{
    return why == EAGAIN || why == ENOMEM || why == EMFILE || why == ENFILE || why == ETXTBSY ||
           why == ENOSPC || why == EDQUOT;
}

static char *
exec_error(struct arena *a, const struct guard_report *report, const char *program)
{
    const char *whose = report->failed_step == GUARD_INTERPRETER ? "the interpreter of " : "";

    switch (report->start_errno) {
    case ENOENT:
        return arena_printf(a, "%sprogram '%s' was not found", whose, program);
    case EACCES:
        return arena_printf(a, "%sprogram '%s' is not executable", whose, program);
    case ENOEXEC:
        return arena_printf(a, "program '%s' is neither a binary nor a script with a #! line",
                            program);
    default:
        return arena_printf(a, "program '%s' cannot be run: %s", program,
                            strerrordesc_np(report->start_errno));
    }
}

static char *
start_error(struct arena *a, const struct guard_report *report, const struct handler_conf *handler)
{
    const char *why = strerrordesc_np(report->start_errno);

    switch (report->failed_step) {
    case GUARD_STARTED:
        break;
    case GUARD_FORK:
        return arena_printf(a, "no process could be made for it: %s", why);
    case GUARD_CHDIR:
        return arena_printf(a, "cannot work in folder '%s': %s", handler->workdir, why);
    case GUARD_EXEC:
    case GUARD_INTERPRETER:
        return exec_error(a, report, handler->program);
    case GUARD_FOLDER:
        return arena_printf(a, "cannot make its temporary folder: %s", why);
    case GUARD_GROUP:
        return arena_printf(a, "cannot make its control group: %s", why);
    case GUARD_LIMIT:
        return arena_printf(a, "cannot set its limits: %s", why);
    case GUARD_USER:
        return arena_printf(a, "cannot run as user '%s': %s", handler->user, why);
    case GUARD_FILTER:
        return arena_printf(a, "cannot keep it from the network: %s", why);
    }
    return NULL;
}

static void
not_started(const struct verdict *v, struct run *run, struct run_end *ret)
{
    ret->cause = is_shortage(v->guarded->report.start_errno) ? RUN_TEMPFAIL : RUN_NO_START;
    ret->error = start_error(&run->arena, &v->guarded->report, run->handler);
}

/* --- it ended ------------------------------------------------------------------------ */

static enum run_cause
cause_of_exit(int status)
{
    switch (status) {
    case 0:
        return RUN_OK;
    case EX_USAGE:
    case EX_DATAERR:
        return RUN_PERMANENT;
    case EX_TEMPFAIL:
        return RUN_TEMPFAIL;
    default:
        return RUN_FAILED;
    }
}

static void
ended_by_itself(const struct verdict *v, struct run *run, struct run_end *ret)
{
    struct arena *a = &run->arena;
    const char *colon = v->last_line != NULL ? ": " : "";
    char *what;

    if (limits_hit(&v->guarded->report, run->handler, a, &ret->cause, &what)) {
        ret->error = what;
        return;
    }
    if (ret->signal != 0) {
        ret->cause = RUN_SIGNAL;
        what = arena_printf(a, "was killed by %s", signal_name(a, ret->signal));
    } else {
        ret->cause = cause_of_exit(ret->exit_status);
        what = arena_printf(a, "exited with status %d", ret->exit_status);
    }
    if (ret->cause != RUN_OK)
        ret->error = arena_printf(a, "%s%s%s", what, colon, v->last_line ? v->last_line : "");
}

/* Somebody killed the guard, or something is wrong with it. */
static void
ended_without_report(const struct verdict *v, struct run *run, struct run_end *ret)
{
    struct arena *a = &run->arena;

    ret->cause = RUN_SIGNAL;
    ret->signal = WIFSIGNALED(v->guarded->guard_status) ? WTERMSIG(v->guarded->guard_status) : 0;
    ret->error = arena_printf(a, "its guard process was killed by %s", signal_name(a, ret->signal));
}

static void
note_status(const struct guard_report *report, struct run_end *ret)
{
    if (WIFEXITED(report->wait_status))
        ret->exit_status = WEXITSTATUS(report->wait_status);
    if (WIFSIGNALED(report->wait_status))
        ret->signal = WTERMSIG(report->wait_status);
    ret->user_ms = report->user_ms;
    ret->system_ms = report->system_ms;
    ret->max_rss_bytes = report->max_rss_bytes;
}

void
verdict_fill(const struct verdict *v, struct run *run, struct run_end *ret)
{
    bool ran = v->guarded->has_report && v->guarded->report.failed_step == GUARD_STARTED;

    ret->exit_status = -1;
    if (ran)
        note_status(&v->guarded->report, ret);
    if (v->guarded->has_report && !ran) {
        not_started(v, run, ret);
    } else if (v->asked && (!ran || v->guarded->report.stopped)) {
        ret->cause = v->asked_cause;
        ret->error = way_asked_error(run, v->asked_cause);
    } else if (ran) {
        ended_by_itself(v, run, ret);
    } else {
        ended_without_report(v, run, ret);
    }
}
