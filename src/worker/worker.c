/*
 * The worker's loop.
 *
 * Everything that happens (an answer, an order, the end of a handler) only notes
 * what has changed and calls worker_turn_soon(); worker_turn() then looks at the
 * whole state once: start what waits, tell what has ended, claim what fits.
 */
#include "worker/worker.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "handler/way.h"
#include "worker/internal.h"

void
worker_turn_soon(struct worker *w)
{
    if (!ev_is_active(&w->turn_later))
        loop_timer_in(w->loop, &w->turn_later, 0);
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;

    (void)loop;
    (void)events;
    lanes_want(w);
    worker_turn_soon(w);
}

void
worker_pause(struct worker *w, int64_t ms)
{
    loop_timer_in(w->loop, &w->pause, ms);
}

static void show(struct worker *w);

void
worker_drain(struct worker *w, const char *why)
{
    if (w->ending != ENDING_NOT)
        return;
    fault_here("worker.drains");
    w->ending = ENDING_DRAIN;
    hearing_tell_idle(w, false);
    log_info("%s: %zu jobs run on, nothing new is claimed", why, w->n_running);
    worker_turn_soon(w);
}

static bool
is_claim_asked(const struct worker *w)
{
    LANE_FOREACH(lane, w)
    {
        if (lane->claim_asked)
            return true;
    }
    return false;
}

static bool
is_empty(const struct worker *w)
{
    return w->n_waiting == 0 && w->n_running == 0 && TAILQ_EMPTY(&w->ended) &&
           TAILQ_EMPTY(&w->sent) && !is_claim_asked(w);
}

/*
 * A pooler keeps our connection when the server behind it crashes: we would not register
 * anew, and what we had finished would stay ours for ever.  So behind one all is strict.
 */
void
worker_commit(struct worker *w)
{
    if (w->conf->db_durability == CONF_RELAXED && !w->score.poll_only)
        queue_ask_relax(w->db);
    db_commit(w->db);
}

/* Finish and claim travel together: one round trip, one commit. */
static void
talk_to_database(struct worker *w)
{
    bool asked = false;

    if (w->holding != HOLDING)
        return;
    if (finishing_is_due(w)) {
        finishing_ask(w);
        asked = true;
    }
    if (w->lost_ended && !is_claim_asked(w))
        holding_settle(w);
    LANE_FOREACH(lane, w)
    {
        if (!w->lost_ended && claiming_is_wanted(lane)) {
            claiming_ask(lane);
            asked = true;
        }
    }
    if (asked)
        worker_commit(w);
}

static void
worker_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;

    (void)loop;
    (void)events;
    if (w->ending == ENDING_NOT)
        running_start(w);
    else
        claiming_give_back(w);
    talk_to_database(w);
    sqlway_turn();
    reporting_plan(w);
    holding_watch(w);
    recycling_check(w);
    if (w->ending != ENDING_NOT && is_empty(w))
        holding_end(w);
    show(w);
    if (w->score.rests)
        recycling_rest(w);
}

static enum board_state
state_of(const struct worker *w)
{
    if (w->ending != ENDING_NOT)
        return BOARD_DRAINING;
    if (w->held_back[0] != '\0')
        return BOARD_HELD;
    if (w->holding != HOLDING)
        return BOARD_CONNECTING;
    return w->n_running + w->n_waiting > 0 ? BOARD_BUSY : BOARD_IDLE;
}

static void
show_running(struct worker *w)
{
    const struct task *task;
    int n = 0;

    TAILQ_FOREACH (task, &w->running, link) {
        struct board_running *shown = &w->score.running[n];

        if (n == BOARD_RUNNING)
            break;
        shown->job_id = task->run.job.id;
        shown->started_mono_ms = task->started_mono_ms;
        snprintf(shown->kind, sizeof(shown->kind), "%s", task->run.job.kind);
        n++;
    }
    w->score.n_running = n;
}

/* Nothing to do and no answer to come: only an order or the end of the session moves it. */
static bool
rests(const struct worker *w)
{
    return w->ending == ENDING_NOT && w->holding == HOLDING && !w->report_asked && is_empty(w);
}

/* The supervisor watches the beat of all but those at rest, who need not get up for it. */
static void
plan_beat(struct worker *w)
{
    if (w->score.rests)
        ev_timer_stop(w->loop, &w->beat);
    else if (!ev_is_active(&w->beat))
        loop_timer_in(w->loop, &w->beat, board_beat_ms(w->conf->stall_ms));
}

static void
show(struct worker *w)
{
    enum board_state state = state_of(w);

    if (state != w->score.state || w->score.state_mono_ms == 0)
        w->score.state_mono_ms = clock_mono_ms();
    w->score.state = state;
    w->score.holds = w->holding == HOLDING;
    w->score.rests = rests(w);
    w->score.round_trips = db_round_trips(w->db);
    show_running(w);
    board_publish(w->child->board, w->child->place, &w->score);
    plan_beat(w);
}

static void
on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;

    (void)loop;
    (void)events;
    w->score.beat++;
    w->score.beat_mono_ms = clock_mono_ms();
    show(w);
}

/* In the thread of the module. */
static void
on_inside(void *owner, int64_t job_id)
{
    const struct child *child = ((const struct worker *)owner)->child;

    board_set_inside(child->board, child->place, job_id);
}

static void
init(struct worker *w, const struct child *child)
{
    *w = (struct worker){.child = child,
                         .conf = child->conf,
                         .loop = loop_get(),
                         .started_mono_ms = clock_mono_ms()};
    w->tally = tally_writer_new(child->tally);
    arena_init(&w->arena);
    arena_init(&w->scratch);
    TAILQ_INIT(&w->running);
    TAILQ_INIT(&w->ended);
    TAILQ_INIT(&w->sent);
    lanes_init(w);
    loop_timer_init(&w->turn_later, worker_turn);
    loop_timer_init(&w->pause, on_pause_over);
    loop_timer_init(&w->beat, on_beat);
    w->turn_later.data = w->pause.data = w->beat.data = w;
    claiming_init(w);
    finishing_init(w);
    reporting_init(w);
    recycling_init(w);
}

int
worker_main(const struct child *child)
{
    struct worker w;
    struct err err;

    init(&w, child);
    way_put(CONF_SQL, &way_sql);
    handler_watch_inside(on_inside, &w);
    handler_init(w.loop, w.conf);
    if (!holding_start(&w, &err)) {
        log_error("%s", err.text);
        return CHILD_EXIT_CONFIG;
    }
    hearing_start(&w);
    loop_timer_in(w.loop, &w.beat, 0);
    order_say(w.port, ORDER_READY);
    ev_run(w.loop, 0);
    return CHILD_EXIT_PLANNED;
}
