/*
 * Giving back what the dead held: a worker process of this host by order of the
 * supervisor, who saw it die, or found it dead when it began; holders of any host by the end
 * of their lease.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "janitor/internal.h"

#define TRY_AGAIN_MS 500

struct reap {
    struct order order;
    bool asked;
};

static void
drop(struct janitor *j, size_t i)
{
    j->reaps[i] = j->reaps[--j->n_reaps];
}

static void
done(struct janitor *j, const PGresult *res, size_t i)
{
    struct order answer = {.what = ORDER_REAPED, .process = j->reaps[i].order.process};
    int64_t jobs = queue_read_reap_process(res);

    if (jobs > 0)
        log_info("a worker died: %lld of its jobs went back to the queue", (long long)jobs);
    order_send(j->port, &answer);
    drop(j, i);
}

/* Which reap was asked; its place in the list may change until the answer comes. */
struct question {
    struct janitor *janitor;
    struct uuid process;
};

static void
on_reaped(void *arg, const PGresult *res, const struct err *err)
{
    struct question *q = arg;
    struct janitor *j = q->janitor;

    for (size_t i = 0; i < j->n_reaps; i++) {
        if (!uuid_equal(&j->reaps[i].order.process, &q->process))
            continue;
        if (res != NULL)
            done(j, res, i);
        else
            j->reaps[i].asked = false;
        break;
    }
    free(q);
    if (err != NULL && err->class != ERR_UNCERTAIN) {
        log_warn("cannot give back the jobs of a dead worker: %s, trying again in %d ms", err->text,
                 TRY_AGAIN_MS);
        duty_in(j, DUTY_SWEEP, TRY_AGAIN_MS);
    }
}

void
reaping_go_on(struct janitor *j)
{
    struct question *q;

    for (size_t i = 0; i < j->n_reaps; i++) {
        const struct order *order = &j->reaps[i].order;

        if (j->reaps[i].asked)
            continue;
        q = xmalloc(sizeof(*q));
        *q = (struct question){.janitor = j, .process = order->process};
        j->reaps[i].asked = true;
        queue_ask_reap_process(j->db, &order->process, order->unseen ? NULL : order->ids,
                               order->n_ids, order->only, on_reaped, q);
        /* Each in a transaction of its own: one that fails must not undo the others. */
        db_commit(j->db);
    }
}

void
reaping_session_lost(struct janitor *j)
{
    for (size_t i = 0; i < j->n_reaps; i++)
        j->reaps[i].asked = false;
}

void
reaping_order(struct janitor *j, const struct order *order)
{
    for (size_t i = 0; i < j->n_reaps; i++) {
        if (uuid_equal(&j->reaps[i].order.process, &order->process))
            return;
    }
    if (j->n_reaps == j->room_reaps) {
        j->room_reaps = j->room_reaps > 0 ? j->room_reaps * 2 : 8;
        j->reaps = xrealloc(j->reaps, j->room_reaps * sizeof(*j->reaps));
    }
    j->reaps[j->n_reaps++] = (struct reap){.order = *order};
    if (j->open)
        reaping_go_on(j);
}

static void
on_swept(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;
    struct reaped r;

    for (int row = 0; res != NULL && row < PQntuples(res); row++) {
        queue_read_reap_expired(res, row, &r);
        log_warn("the lease of %s/%d is over: %lld of its jobs went back to the queue", r.name,
                 r.slot, (long long)r.jobs);
    }
    duty_answered(j, DUTY_SWEEP, j->duties[DUTY_SWEEP].every_ms, err, "look for dead hosts");
}

void
reaping_sweep(struct janitor *j)
{
    reaping_go_on(j); /* what failed before */
    queue_ask_reap_expired(j->db, on_swept, j);
}
