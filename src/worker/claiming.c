/*
 * Asking for jobs: when, how many, from where.
 */
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "db/error.h"
#include "worker/internal.h"

/* What has not started so long after its claim goes back: an idle worker may have it. */
#define HOARD_FACTOR 2
#define ERROR_PAUSE_MS 1000
#define LOOK_AGAIN_MS 50

bool
claiming_is_wanted(const struct lane *lane)
{
    const struct worker *w = lane->worker;

    return lane->wanted && w->ending == ENDING_NOT && w->holding == HOLDING &&
           holding_is_renewed(w) && !lane->claim_asked && lane->n_waiting == 0 &&
           lane_free_slots(lane) > 0 && !loop_timer_runs(&w->pause);
}

static void
plan_give_back(struct worker *w)
{
    if (w->n_waiting > 0)
        loop_timer_in(w->loop, &w->give_back, w->conf->claim_ahead_ms * HOARD_FACTOR);
}

static void
take(struct lane *lane, const PGresult *res, bool found_all)
{
    struct worker *w = lane->worker;
    struct claimed job;
    struct task *task;

    for (int row = 0; row < PQntuples(res); row++) {
        queue_read_claim(res, row, &job);
        marks_claimed(&lane->marks, job.queue, job.priority, job.job_id, found_all);
        task = task_new(lane, &job);
        task_move(task, &lane->waiting);
    }
    tally_claim(w->tally, PQntuples(res));
    w->score.claims++;
    w->score.empty_claims += PQntuples(res) == 0;
    w->score.claimed += (uint64_t)PQntuples(res);
    plan_give_back(w);
}

/* The database has us as idle, too: what comes in wakes us. */
static void
be_idle(struct lane *lane)
{
    lane->wanted = false;
    lane->idle = true;
    hearing_tell_idle(lane->worker, true);
}

/* Nothing above our marks: once more from the start of the queue, when that may be. */
static void
look_again_for_sweep(struct lane *lane, int64_t sweep_in_ms)
{
    loop_timer_in(lane->worker->loop, &lane->look_again,
                  sweep_in_ms > LOOK_AGAIN_MS ? sweep_in_ms : LOOK_AGAIN_MS);
}

static void
answered(struct lane *lane, const PGresult *res)
{
    struct worker *w = lane->worker;
    int found = PQntuples(res);
    bool all = found >= lane->claim_wanted, was_idle = lane->idle;
    int64_t now_ms = clock_mono_ms();

    take(lane, res, all);
    marks_answered(&lane->marks, lane->claim_sweeps, all, now_ms, now_ms - lane->claim_sent_ms);
    if (found > 0) {
        lane->idle = false;
        hearing_tell_idle(w, lanes_are_idle(w, NULL));
        if (was_idle && all)
            order_say(w->port, ORDER_MORE);
    } else if (lane->claim_sweeps) {
        be_idle(lane);
        /* An insert that was under way saw nobody idle and sends no NOTIFY. */
        if (!was_idle)
            loop_timer_in(w->loop, &lane->look_again, LOOK_AGAIN_MS);
    } else if (!marks_sweep_is_due(&lane->marks, now_ms)) {
        be_idle(lane);
        look_again_for_sweep(lane, marks_sweep_in_ms(&lane->marks, now_ms));
    }
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
    struct lane *lane = arg;

    lane->claim_asked = false;
    if (res != NULL)
        answered(lane, res);
    else
        refused(lane->worker, err);
    worker_turn_soon(lane->worker);
}

void
claiming_ask(struct lane *lane)
{
    struct worker *w = lane->worker;
    int64_t now_ms = clock_mono_ms();
    struct claim claim = {
        .holder = w->holder,
        .kinds = lane->any_kind ? NULL : lane->kinds.items,
        .n_kinds = lane->kinds.n,
        .without = lane->without.n > 0 ? lane->without.items : NULL,
        .n_without = lane->without.n,
        .want = pace_want(&lane->pace, lane_free_slots(lane), lane->slots),
        .stay_idle = lanes_are_idle(w, lane),
    };

    lane->claim_asked = true;
    lane->claim_sweeps = marks_sweep_is_due(&lane->marks, now_ms);
    lane->claim_wanted = claim.want;
    lane->claim_sent_ms = now_ms;
    claim.places = marks_places(&lane->marks, &w->scratch, lane->claim_sweeps);
    queue_ask_claim(w->db, &claim, on_claim, lane);
    arena_release(&w->scratch);
}

/* What its way has not begun with comes back from it. */
static void
retract_running(struct worker *w)
{
    struct task *task, *next;

    for (task = TAILQ_FIRST(&w->running); task != NULL; task = next) {
        next = TAILQ_NEXT(task, link);
        if (handler_retract(&task->run)) {
            task->finished.outcome = OUTCOME_RELEASE;
            finishing_add(task);
        }
    }
}

void
claiming_give_back(struct worker *w)
{
    struct task *task;

    LANE_FOREACH(lane, w)
    {
        while ((task = TAILQ_FIRST(&lane->waiting)) != NULL) {
            fault_here("hoard.returns");
            task->finished.outcome = OUTCOME_RELEASE;
            finishing_add(task);
            fault_here("hoard.returned");
        }
    }
    retract_running(w);
}

static void
on_give_back(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;

    (void)loop;
    (void)events;
    claiming_give_back(w);
}

void
claiming_init(struct worker *w)
{
    loop_timer_init(&w->give_back, on_give_back);
    w->give_back.data = w;
}
