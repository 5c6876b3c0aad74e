/*
 * Scheduled jobs become ready, and schedules put jobs in, when they are due; idle workers of this host are told
 * when something waits for them; jobs of a kind that nobody handles are pointed out.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "janitor/internal.h"

#define PROMOTE_MOST 1000
#define SCHEDULES_MOST 100
/* What is due may be locked by another host's janitor: no reason to ask without pause. */
#define SOONEST_MS 10
/* Looks take at most a twentieth of the time; workers poll for themselves between dear ones. */
#define LOOK_COST_FACTOR 20

/* The answer comes just before that of promote: they are one transaction. */
static void
on_schedules(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;

    (void)err; /* on_promoted has it */
    j->schedules_due_ms = -1;
    if (res != NULL && queue_read_due(res, &j->schedules_due_ms) > 0)
        order_say(j->port, ORDER_NEWS);
}

/* So long until something is due, if that is sooner than wait_ms; -1: never. */
static int64_t
sooner(int64_t wait_ms, int64_t due_ms)
{
    if (due_ms < 0 || due_ms >= wait_ms)
        return wait_ms;
    return due_ms > SOONEST_MS ? due_ms : SOONEST_MS;
}

static void
on_promoted(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;
    int64_t moved = 0, next_ms = -1, wait_ms = j->conf->poll_ms;

    if (res != NULL)
        moved = queue_read_due(res, &next_ms);
    if (moved > 0)
        order_say(j->port, ORDER_NEWS);
    wait_ms = sooner(sooner(wait_ms, next_ms), j->schedules_due_ms);
    if (moved == PROMOTE_MOST)
        wait_ms = 0;
    duty_answered(j, DUTY_PROMOTE, wait_ms, err, "promote scheduled jobs");
}

/* Idle workers sleep on while we say this; when we cannot, the supervisor has them look. */
static void
on_looked(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;
    int64_t cost_ms;
    bool waits;

    (void)err; /* on_promoted has it: they are one transaction */
    if (res == NULL)
        return;
    waits = queue_read_waits_for(res, &cost_ms);
    j->look_due_mono_ms = clock_mono_ms() + cost_ms * LOOK_COST_FACTOR;
    order_say(j->port, waits ? ORDER_WAITS : ORDER_QUIET);
}

static void
look(struct janitor *j)
{
    struct uuid processes[BOARD_PLACES];
    size_t n = janitor_workers(j, processes, NULL);

    queue_ask_waits_for(j->db, processes, n, on_looked, j);
}

void
promoting_promote(struct janitor *j)
{
    queue_ask_run_schedules(j->db, SCHEDULES_MOST, on_schedules, j);
    queue_ask_promote(j->db, PROMOTE_MOST, on_promoted, j);
    if (clock_mono_ms() >= j->look_due_mono_ms)
        look(j);
}

/* "mail in queue default, thumb in queue images" */
static void
describe(char *ret, size_t size, const PGresult *res)
{
    struct surveyed s;
    size_t at = 0;

    ret[0] = '\0';
    for (int row = 0; row < PQntuples(res) && at < size; row++) {
        queue_read_survey(res, row, &s);
        at += (size_t)snprintf(ret + at, size - at, "%s%s in queue %s", row > 0 ? ", " : "", s.kind,
                               s.queue);
    }
}

static void
on_surveyed(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;
    char now[sizeof(j->unhandled)];

    if (res != NULL) {
        describe(now, sizeof(now), res);
        if (now[0] != '\0' && strcmp(now, j->unhandled) != 0)
            log_warn(
                "jobs wait for a handler that no live worker has: %s; add it under 'handlers:' "
                "and reload",
                now);
        memcpy(j->unhandled, now, sizeof(now));
    }
    duty_answered(j, DUTY_SURVEY, j->duties[DUTY_SURVEY].every_ms, err,
                  "look for kinds without a handler");
}

void
promoting_survey(struct janitor *j)
{
    queue_ask_survey(j->db, j->conf->queues.items, j->conf->queues.n, on_surveyed, j);
}
