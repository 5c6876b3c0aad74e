/*
 * Asking for jobs: when, how many, from where.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/error.h"
#include "worker/internal.h"

/* What has not started so long after its claim goes back: an idle worker may have it. */
#define HOARD_FACTOR 2
#define ERROR_PAUSE_MS 1000
#define LOOK_AGAIN_MS 50

bool
claiming_is_wanted(const struct worker *w)
{
    return w->wanted && w->ending == ENDING_NOT && w->holding == HOLDING && !w->claim_asked &&
           w->n_waiting == 0 && worker_free_slots(w) > 0 && !loop_timer_runs(&w->pause);
}

static void
plan_give_back(struct worker *w)
{
    if (w->n_waiting > 0)
        loop_timer_in(w->loop, &w->give_back, w->conf->claim_ahead_ms * HOARD_FACTOR);
}

static void
take(struct worker *w, const PGresult *res)
{
    struct claimed job;
    struct task *task;

    for (int row = 0; row < PQntuples(res); row++) {
        queue_read_claim(res, row, &job);
        marks_claimed(&w->marks, job.queue, job.priority, job.seq);
        task = task_new(w, &job);
        task_move(task, &w->waiting);
    }
    w->score.claims++;
    w->score.empty_claims += PQntuples(res) == 0;
    w->score.claimed += (uint64_t)PQntuples(res);
    plan_give_back(w);
}

static void
answered(struct worker *w, const PGresult *res)
{
    int found = PQntuples(res);
    bool all = found >= w->claim_wanted, was_idle = w->idle;
    int64_t now_ms = clock_mono_ms();

    take(w, res);
    marks_answered(&w->marks, w->claim_sweeps, all, now_ms, now_ms - w->claim_sent_ms);
    if (found > 0) {
        hearing_tell_idle(w, false);
        if (was_idle && all)
            order_say(w->port, ORDER_MORE);
    } else if (w->claim_sweeps) {
        w->wanted = false;
        hearing_tell_idle(w, true);
        /* An insert that was under way saw nobody idle and sends no NOTIFY. */
        if (!was_idle)
            loop_timer_in(w->loop, &w->look_again, LOOK_AGAIN_MS);
    }
    /* Nothing without a sweep: look once more from the start of the queue, when that may be. */
    if (found == 0 && !w->claim_sweeps && !marks_sweep_is_due(&w->marks, now_ms))
        worker_pause(w, marks_sweep_in_ms(&w->marks, now_ms));
}

static void
refused(struct worker *w, const struct err *err)
{
    w->score.db_errors++;
    if (strcmp(err->sqlstate, SQLSTATE_HOLDER_GONE) == 0) {
        holding_lost(w, "its holder has been reaped");
        return;
    }
    if (err->class == ERR_UNCERTAIN)
        return; /* the session is lost; the next registration finds what was claimed */
    log_warn("cannot claim jobs: %s, trying again in %d ms", err->text, ERROR_PAUSE_MS);
    worker_pause(w, ERROR_PAUSE_MS);
    if (err->class == ERR_CONFIG)
        db_restart(w->db, ERR_CONFIG, err->text);
}

static void
on_claim(void *arg, const PGresult *res, const struct err *err)
{
    struct worker *w = arg;

    w->claim_asked = false;
    if (res != NULL)
        answered(w, res);
    else
        refused(w, err);
    worker_turn_soon(w);
}

void
claiming_ask(struct worker *w)
{
    int64_t now_ms = clock_mono_ms();
    struct places places;

    w->claim_asked = true;
    w->claim_sweeps = marks_sweep_is_due(&w->marks, now_ms);
    w->claim_wanted = pace_want(&w->pace, worker_free_slots(w), w->conf->slots);
    w->claim_sent_ms = now_ms;
    places = marks_places(&w->marks, &w->scratch, w->claim_sweeps);
    queue_ask_claim(w->db, w->holder, &places, w->conf->any_kind ? NULL : w->conf->kinds.items,
                    w->conf->kinds.n, w->claim_wanted, on_claim, w);
    arena_release(&w->scratch);
}

void
claiming_give_back(struct worker *w)
{
    struct task *task;

    while ((task = TAILQ_FIRST(&w->waiting)) != NULL) {
        task->finished.outcome = OUTCOME_RELEASE;
        finishing_add(task);
    }
}

static void
on_give_back(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;

    (void)loop;
    (void)events;
    if (w->n_waiting > 0)
        log_debug("%zu jobs have not started in time: they go back", w->n_waiting);
    claiming_give_back(w);
}

void
claiming_init(struct worker *w)
{
    loop_timer_init(&w->give_back, on_give_back);
    w->give_back.data = w;
}
