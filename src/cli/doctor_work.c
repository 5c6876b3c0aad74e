/*
 * Checks of the work itself: daemon, workers, jobs that wait for nobody.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/doctor.h"
#include "cli/values.h"
#include "sqltext.h"

/* Workers that must not claim say why themselves. */
static void
say_held(struct doctor *d)
{
    json_t *processes, *process;
    struct err err;
    size_t i;

    if (!cli_try_daemon(d->cli, "workers", &processes, &err))
        return;
    json_array_foreach(processes, i, process)
    {
        const char *state = value_text(process, "state");

        if (strcmp(state, "held") == 0 || strcmp(state, "connecting") == 0)
            doctor_say(d, strcmp(state, "held") == 0 ? DOCTOR_ERROR : DOCTOR_WARN, NULL,
                       "%s %" PRId64 " (pid %" PRId64 ") is %s: %s", value_text(process, "role"),
                       value_int(process, "slot"), value_int(process, "pid"), state,
                       value_text(process, "text"));
    }
    json_decref(processes);
}

/* Without them no job is in danger, but a limit is then one of each process. */
static void
say_limits(struct doctor *d, const char *held)
{
    if (strcmp(held, "none") == 0)
        doctor_say(d, DOCTOR_OK, NULL,
                   "limits of handlers are those of each process: there are no control groups here "
                   "(pgcrewd(8))");
    else
        doctor_say(d, DOCTOR_OK, NULL, "limits of handlers are held by control groups: %s", held);
}

void
doctor_check_daemon(struct doctor *d)
{
    const json_t *stall;
    json_t *pong;
    struct err err;
    char up[32];

    if (!cli_try_daemon(d->cli, "ping", &pong, &err)) {
        doctor_say(d, DOCTOR_WARN, "systemctl start pgcrew; on a host without workers this is fine",
                   "%s", err.text);
        return;
    }
    d->daemon_answers = true;
    stall = json_object_get(pong, "stall");
    if (json_is_object(stall))
        doctor_say(d, DOCTOR_ERROR, "see STALLS in pgcrewd(8); the log has what was tried",
                   "STALLED: nothing of queue %s has been claimed for %s: %s",
                   value_text(stall, "queues"), text_ago(up, value_int(stall, "ms")),
                   value_text(stall, "why"));
    doctor_say(d, DOCTOR_OK, NULL, "pgcrewd %s is %s, up for %s", value_text(pong, "version"),
               value_text(pong, "state"), text_ago(up, value_int(pong, "uptime_ms")));
    say_limits(d, value_text(pong, "control_groups"));
    json_decref(pong);
    say_held(d);
}

void
doctor_check_workers(struct doctor *d)
{
    json_t *rows;
    const json_t *row;
    struct err err;

    if (!cli_try_query(d->cli, sql_cli_claimed, NULL, &rows, &err)) {
        doctor_say(d, DOCTOR_ERROR, NULL, "cannot be counted: %s", err.text);
        return;
    }
    row = json_array_get(rows, 0);
    d->has_workers = value_int(row, "live") > 0;
    if (!d->has_workers)
        doctor_say(d, DOCTOR_ERROR,
                   d->daemon_answers ? "its log says why they do not register"
                                     : "start a daemon: systemctl start pgcrew",
                   "no worker of any host is alive in this database");
    else
        doctor_say(d, DOCTOR_OK, NULL, "%" PRId64 " workers are alive, %" PRId64 " jobs claimed",
                   value_int(row, "live"), value_int(row, "claimed"));
    if (value_int(row, "lost") > 0)
        doctor_say(d, DOCTOR_WARN, "a living daemon gives their jobs back within seconds",
                   "%" PRId64 " workers have stopped reporting", value_int(row, "lost"));
    json_decref(rows);
}

static void
say_waiting(struct doctor *d, const json_t *row)
{
    const char *what = value_text(row, "what");
    char since[32];

    if (strcmp(what, "overdue") == 0)
        doctor_say(d, DOCTOR_ERROR, "is a janitor connected? see pgcrew workers",
                   "%" PRId64 " scheduled jobs are overdue by more than 15 s",
                   value_int(row, "jobs"));
    else if (strcmp(what, "late") == 0)
        doctor_say(d, DOCTOR_ERROR, "is a janitor connected? see pgcrew workers",
                   "%" PRId64 " schedules are overdue by more than 15 s", value_int(row, "jobs"));
    else if (strcmp(what, "schedule") == 0)
        doctor_say(d, DOCTOR_ERROR, "pgcrew schedule add with other values, or remove",
                   "schedule '%s' cannot put its jobs in: %s", value_text(row, "queue"),
                   value_text(row, "kind"));
    else if (strcmp(what, "paused") == 0)
        doctor_say(d, DOCTOR_WARN, "pgcrew queue resume, if it was forgotten",
                   "queue '%s' was paused %s ago by %s: %" PRId64 " jobs wait",
                   value_text(row, "queue"), text_ago(since, value_int(row, "paused_ms")),
                   value_text(row, "paused_by"), value_int(row, "jobs"));
    else if (strcmp(what, "kind") == 0)
        doctor_say(d, DOCTOR_ERROR, "add it to handlers in the configuration, then pgcrew reload",
                   "no live worker of queue '%s' has a handler for kind '%s': %" PRId64
                   " jobs wait (of the last 1000)",
                   value_text(row, "queue"), value_text(row, "kind"), value_int(row, "jobs"));
    else
        doctor_say(d, DOCTOR_ERROR,
                   "add it to queue.names in the configuration, then pgcrew reload",
                   "no live worker serves queue '%s': %" PRId64 " jobs of kind '%s' wait",
                   value_text(row, "queue"), value_int(row, "jobs"), value_text(row, "kind"));
}

void
doctor_check_waiting(struct doctor *d)
{
    json_t *rows, *row;
    struct err err;
    size_t i;

    if (!d->has_workers) /* then all of them wait, and that has been said */
        return;
    if (!cli_try_query(d->cli, sql_cli_doctor_waiting, NULL, &rows, &err)) {
        doctor_say(d, DOCTOR_ERROR, NULL, "cannot be counted: %s", err.text);
        return;
    }
    json_array_foreach(rows, i, row) say_waiting(d, row);
    if (json_array_size(rows) == 0)
        doctor_say(d, DOCTOR_OK, NULL, "no job waits without somebody who could take it");
    json_decref(rows);
}
