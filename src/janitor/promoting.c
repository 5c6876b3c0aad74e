/*
 * Scheduled jobs become ready when they are due; jobs of a kind that nobody
 * handles are pointed out.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "janitor/internal.h"

#define PROMOTE_MOST 1000
#define SURVEY_EVERY_MS 15000
/* What is due may be locked by another host's janitor: no reason to ask without pause. */
#define SOONEST_MS 10

static void
on_promoted(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;
    int64_t moved = 0, next_ms = -1, wait_ms = j->conf->poll_ms;

    if (res != NULL)
        moved = queue_read_promote(res, &next_ms);
    if (moved > 0)
        order_say(j->port, ORDER_NEWS);
    if (next_ms >= 0 && next_ms < wait_ms)
        wait_ms = next_ms > SOONEST_MS ? next_ms : SOONEST_MS;
    if (moved == PROMOTE_MOST)
        wait_ms = 0;
    duty_answered(j, &j->promote, wait_ms, err, "promote scheduled jobs");
}

void
promoting_promote(struct janitor *j)
{
    j->promote.asked = true;
    queue_ask_promote(j->db, PROMOTE_MOST, on_promoted, j);
    db_commit(j->db);
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
    duty_answered(j, &j->survey, SURVEY_EVERY_MS, err, "look for kinds without a handler");
}

void
promoting_survey(struct janitor *j)
{
    j->survey.asked = true;
    queue_ask_survey(j->db, j->conf->queues.items, j->conf->queues.n, on_surveyed, j);
    db_commit(j->db);
}
