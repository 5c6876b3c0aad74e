/*
 * Which kinds share slots.
 *
 * A handler with `slots` has a pool of its own; all others share worker.slots.
 * Each pool claims for itself, so that what waits for a slot of one is never
 * taken by a worker that has only slots of another.
 */
#include "base/clock.h"
#include "worker/internal.h"

static void
on_look_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct pool *pool = timer->data;

    (void)loop;
    (void)events;
    pool->wanted = true;
    worker_turn_soon(pool->worker);
}

static struct pool *
add_pool(struct worker *w, int slots)
{
    struct pool *pool = &w->pools[w->n_pools++];
    static const char *const none[] = {NULL};

    pool->worker = w;
    pool->slots = slots;
    pool->kinds = pool->without = (struct conf_list){none, 0};
    pool->wanted = true;
    TAILQ_INIT(&pool->waiting);
    marks_init(&pool->marks, &w->arena, w->conf->queues.items, w->conf->queues.n);
    pace_init(&pool->pace, w->conf->claim_ahead_ms, w->conf->claim_max);
    loop_timer_init(&pool->look_again, on_look_again);
    pool->look_again.data = pool;
    return pool;
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
add_pool_of(struct worker *w, const struct handler_conf *h)
{
    struct pool *pool = add_pool(w, h->slots);
    const char **kind = arena_alloc(&w->arena, 2 * sizeof(*kind));

    kind[0] = h->kind;
    pool->any_kind = takes_the_rest(h);
    if (pool->any_kind)
        pool->without = named_kinds(w, true, true);
    else
        pool->kinds = (struct conf_list){kind, 1};
}

/* Of the kinds that have no slots of their own. */
static void
add_common_pool(struct worker *w)
{
    const struct handler_conf *rest = conf_handler(w->conf, "*");
    struct conf_list kinds = named_kinds(w, false, true);
    bool any = rest != NULL && rest->slots == 0;
    struct pool *pool;

    if (!any && kinds.n == 0 && w->conf->n_handlers > 0)
        return;
    pool = add_pool(w, w->conf->slots);
    pool->any_kind = any;
    if (any)
        pool->without = named_kinds(w, true, false);
    else
        pool->kinds = kinds;
}

void
pools_init(struct worker *w)
{
    w->pools = arena_alloc(&w->arena, (w->conf->n_handlers + 1) * sizeof(*w->pools));
    add_common_pool(w);
    for (size_t i = 0; i < w->conf->n_handlers; i++) {
        if (w->conf->handlers[i].slots > 0)
            add_pool_of(w, &w->conf->handlers[i]);
    }
    w->lists = arena_alloc(&w->arena, (w->n_pools + 3) * sizeof(struct task_list *));
    w->lists[w->n_lists++] = &w->running;
    w->lists[w->n_lists++] = &w->ended;
    w->lists[w->n_lists++] = &w->sent;
    POOL_FOREACH(pool, w)
    w->lists[w->n_lists++] = &pool->waiting;
}

int
pool_free_slots(const struct pool *pool)
{
    return pool->slots - (int)pool->n_running;
}

bool
pool_lets_start(const struct pool *pool, const struct task *task)
{
    return pool_free_slots(pool) > 0 || handler_is_serial(pool->worker->conf, task->run.job.kind);
}

bool
pools_have_room(const struct worker *w)
{
    POOL_FOREACH(pool, w)
    {
        if (pool->n_waiting == 0 && pool_free_slots(pool) > 0)
            return true;
    }
    return false;
}

bool
pools_are_idle(const struct worker *w, const struct pool *but)
{
    POOL_FOREACH(pool, w)
    {
        if (pool != but && pool->idle)
            return true;
    }
    return false;
}

void
pools_want(struct worker *w)
{
    POOL_FOREACH(pool, w)
    pool->wanted = true;
}
