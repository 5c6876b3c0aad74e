/*
 * A stall: workers of this host are idle, jobs that they could take wait, and nothing is
 * claimed for too long.  Jobs of no kind of ours, scheduled ones, those of a paused queue, and
 * those that busy workers will come to are none; nor is it one when the database is away.
 *
 * Whose fault it is the database finds out: it claims one of the jobs for an idle
 * worker, and undoes that.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "janitor/internal.h"

#define LOOKS_PER_STALL 3
#define LOOK_MOST_MS 15000

int64_t
stalling_every_ms(const struct conf *conf)
{
    int64_t ms = conf->stall_after_ms / LOOKS_PER_STALL;

    if (ms > LOOK_MOST_MS)
        ms = LOOK_MOST_MS;
    return ms > conf->poll_ms ? ms : conf->poll_ms;
}

static const struct progress_seen *
find_seen(const struct progress_seen *seen, size_t n, const struct uuid *process)
{
    for (size_t i = 0; i < n; i++) {
        if (uuid_equal(&seen[i].process, process))
            return &seen[i];
    }
    return NULL;
}

/*
 * What each worker has claimed so far, compared with the last look: has any of them claimed
 * something?  Those who are idle and hold a lease go to ret; ret_coming: others are about to.
 */
static bool
look_at_workers(struct janitor *j, struct uuid ret[BOARD_PLACES], size_t *ret_n, bool *ret_coming)
{
    static struct progress_seen before[BOARD_PLACES];
    size_t n_before = j->n_seen;
    struct board_roster who;
    struct board_score score;
    bool any = false;

    memcpy(before, j->seen, n_before * sizeof(*before));
    j->n_seen = *ret_n = 0;
    j->errors_seen = *ret_coming = false;
    for (int place = 0; place < BOARD_PLACES; place++) {
        const struct progress_seen *old;

        if (!board_read(j->child->board, place, &who, &score) || who.role != BOARD_WORKER)
            continue;
        old = find_seen(before, n_before, &who.process);
        any |= score.claimed > (old != NULL ? old->claimed : 0);
        j->errors_seen |= score.db_errors > (old != NULL ? old->db_errors : 0);
        if (score.state == BOARD_IDLE && score.holds)
            ret[(*ret_n)++] = who.process;
        *ret_coming |= score.state == BOARD_STARTING || score.state == BOARD_CONNECTING;
        j->seen[j->n_seen++] = (struct progress_seen){who.process, score.claimed, score.db_errors};
    }
    return any;
}

static void
flows(struct janitor *j, const char *why)
{
    struct board_stall stall = {0};

    j->waits_since_mono_ms = 0;
    if (!j->is_stalled)
        return;
    j->is_stalled = false;
    snprintf(stall.text, sizeof(stall.text), "%s", why);
    board_set_stall(j->child->board, &stall);
    order_say(j->port, ORDER_FLOWS);
}

static void
tell(struct janitor *j, const struct stalled *s)
{
    struct board_stall stall = {
        .since_mono_ms = j->waits_since_mono_ms,
        .jobs = s->jobs,
        .is_ours = s->gives && !j->errors_seen,
    };

    j->is_stalled = true;
    snprintf(stall.queues, sizeof(stall.queues), "%s", s->queues);
    snprintf(stall.text, sizeof(stall.text), "%s",
             s->gives && j->errors_seen ? "the claims of the workers fail, the log says how"
                                        : s->detail);
    board_set_stall(j->child->board, &stall);
    order_say(j->port, ORDER_STALLED);
}

static void
on_looked(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;
    int64_t now_ms = clock_mono_ms();
    struct stalled s;

    if (res != NULL && !queue_read_stalled(res, &s)) {
        if (!j->is_undecided)
            flows(j, "nothing waits any more that idle workers could take");
    } else if (res != NULL && j->waits_since_mono_ms == 0)
        j->waits_since_mono_ms = now_ms;
    else if (res != NULL && now_ms - j->waits_since_mono_ms >= j->conf->stall_after_ms)
        tell(j, &s);
    /* Perhaps nobody was told, or the one who was is stuck. */
    if (j->waits_since_mono_ms != 0)
        order_say(j->port, ORDER_NEWS);
    duty_answered(j, DUTY_STALL, j->duties[DUTY_STALL].every_ms, err, "look for a stall");
}

void
stalling_look(struct janitor *j)
{
    struct uuid idle[BOARD_PLACES];
    bool coming;
    size_t n;

    if (look_at_workers(j, idle, &n, &coming)) {
        flows(j, "jobs are claimed");
        n = 0; /* no question */
    }
    j->is_undecided = n == 0 && coming; /* those that were idle are being replaced */
    queue_ask_stalled(j->db, idle, n, on_looked, j);
}

void
stalling_session_lost(struct janitor *j, const char *why)
{
    char text[256];

    snprintf(text, sizeof(text), "no database: %s", why);
    flows(j, text);
}
