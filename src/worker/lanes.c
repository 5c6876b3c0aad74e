/*
 * Which kinds share slots.
 *
 * A handler with `slots` has a lane of its own; all others share worker.slots.
 * Each lane claims for itself, so that what waits for a slot of one is never
 * taken by a worker that has only slots of another.
 */
#include "base/clock.h"
#include "worker/internal.h"

static void
on_look_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct lane *lane = timer->data;

    (void)loop;
    (void)events;
    lane->wanted = true;
    worker_turn_soon(lane->worker);
}

static struct lane *
add_lane(struct worker *w, int slots)
{
    struct lane *lane = &w->lanes[w->n_lanes++];
    static const char *const none[] = {NULL};

    lane->worker = w;
    lane->slots = slots;
    lane->kinds = lane->without = (struct conf_list){none, 0};
    lane->wanted = true;
    TAILQ_INIT(&lane->waiting);
    marks_init(&lane->marks, &w->arena, w->conf->queues.items, w->conf->queues.n);
    pace_init(&lane->pace, w->conf->claim_ahead_ms, w->conf->claim_max);
    loop_timer_init(&lane->look_again, on_look_again);
    lane->look_again.data = lane;
    return lane;
}

static bool
takes_the_rest(const struct handler_conf *h)
{
    return h->kind[0] == '*' && h->kind[1] == '\0';
}

/* The named kinds that have slots of their own, or those that have not. */
static struct conf_list
named_kinds(struct worker *w, bool with_own_slots, bool without_own_slots)
{
    const char **items = arena_alloc(&w->arena, (w->conf->n_handlers + 1) * sizeof(*items));
    size_t n = 0;

    for (size_t i = 0; i < w->conf->n_handlers; i++) {
        const struct handler_conf *h = &w->conf->handlers[i];

        if (!takes_the_rest(h) && (h->slots > 0 ? with_own_slots : without_own_slots))
            items[n++] = h->kind;
    }
    return (struct conf_list){items, n};
}

static void
add_lane_of(struct worker *w, const struct handler_conf *h)
{
    struct lane *lane = add_lane(w, h->slots);
    const char **kind = arena_alloc(&w->arena, 2 * sizeof(*kind));

    kind[0] = h->kind;
    lane->any_kind = takes_the_rest(h);
    if (lane->any_kind)
        lane->without = named_kinds(w, true, true);
    else
        lane->kinds = (struct conf_list){kind, 1};
}

/* Of the kinds that have no slots of their own. */
static void
add_common_lane(struct worker *w)
{
    const struct handler_conf *rest = conf_handler(w->conf, "*");
    struct conf_list kinds = named_kinds(w, false, true);
    bool any = rest != NULL && rest->slots == 0;
    struct lane *lane;

    if (!any && kinds.n == 0 && w->conf->n_handlers > 0)
        return;
    lane = add_lane(w, w->conf->slots);
    lane->any_kind = any;
    if (any)
        lane->without = named_kinds(w, true, false);
    else
        lane->kinds = kinds;
}

void
lanes_init(struct worker *w)
{
    w->lanes = arena_alloc(&w->arena, (w->conf->n_handlers + 1) * sizeof(*w->lanes));
    add_common_lane(w);
    for (size_t i = 0; i < w->conf->n_handlers; i++) {
        if (w->conf->handlers[i].slots > 0)
            add_lane_of(w, &w->conf->handlers[i]);
    }
    w->lists = arena_alloc(&w->arena, (w->n_lanes + 3) * sizeof(struct task_list *));
    w->lists[w->n_lists++] = &w->running;
    w->lists[w->n_lists++] = &w->ended;
    w->lists[w->n_lists++] = &w->sent;
    LANE_FOREACH(lane, w)
    w->lists[w->n_lists++] = &lane->waiting;
}

int
lane_free_slots(const struct lane *lane)
{
    return lane->slots - (int)lane->n_running;
}

bool
lane_lets_start(const struct lane *lane, const struct task *task)
{
    return lane_free_slots(lane) > 0 || handler_is_serial(lane->worker->conf, task->run.job.kind);
}

bool
lanes_have_room(const struct worker *w)
{
    LANE_FOREACH(lane, w)
    {
        if (lane->n_waiting == 0 && lane_free_slots(lane) > 0)
            return true;
    }
    return false;
}

bool
lanes_are_idle(const struct worker *w, const struct lane *but)
{
    LANE_FOREACH(lane, w)
    {
        if (lane != but && lane->idle)
            return true;
    }
    return false;
}

void
lanes_number(struct worker *w, const int64_t *numbers)
{
    LANE_FOREACH(lane, w)
    marks_number(&lane->marks, numbers);
}

void
lanes_want(struct worker *w)
{
    LANE_FOREACH(lane, w)
    lane->wanted = true;
}
