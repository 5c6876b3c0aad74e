/*
 * Leases: one statement renews those of every worker process of this host, so
 * that a starved worker does not lose its jobs and a dead one does not keep them.
 */
#include "base/clock.h"
#include "base/log.h"
#include "janitor/internal.h"

static void
tell_cancels(struct janitor *j, const struct uuid *process, const int64_t *ids, size_t n)
{
    struct order order = {.what = ORDER_CANCEL, .process = *process};

    for (size_t i = 0; i < n; i++) {
        order.ids[order.n_ids++] = ids[i];
        if (order.n_ids == ORDER_IDS || i + 1 == n) {
            order_send(j->port, &order);
            order.n_ids = 0;
        }
    }
}

static bool
is_renewed(const PGresult *res, const struct uuid *process, struct arena *scratch)
{
    int64_t *cancels;
    size_t n;

    for (int row = 0; row < PQntuples(res); row++) {
        struct uuid renewed = queue_read_heartbeat(res, row, scratch, &cancels, &n);

        if (uuid_equal(&renewed, process))
            return true;
    }
    return false;
}

static void
renewed(struct janitor *j, const PGresult *res)
{
    struct order fenced = {.what = ORDER_FENCED};
    int64_t *cancels;
    size_t n;

    board_set_lease_ok(j->child->board, j->heartbeat_sent_ms);
    for (int row = 0; row < PQntuples(res); row++) {
        struct uuid process = queue_read_heartbeat(res, row, &j->scratch, &cancels, &n);

        tell_cancels(j, &process, cancels, n);
    }
    for (size_t i = 0; i < j->n_sent; i++) {
        /* One that had not registered when we asked has nothing to lose. */
        if (!j->sent_holds[i] || is_renewed(res, &j->sent[i], &j->scratch))
            continue;
        fenced.process = j->sent[i];
        order_send(j->port, &fenced);
    }
    arena_release(&j->scratch);
}

static void
on_heartbeat(void *arg, const PGresult *res, const struct err *err)
{
    struct janitor *j = arg;

    if (res != NULL)
        renewed(j, res);
    duty_answered(j, DUTY_HEARTBEAT, j->duties[DUTY_HEARTBEAT].every_ms, err, "renew leases");
}

void
leases_heartbeat(struct janitor *j)
{
    j->n_sent = janitor_workers(j, j->sent, j->sent_holds);
    j->heartbeat_sent_ms = clock_mono_ms();
    queue_ask_heartbeat(j->db, j->sent, j->n_sent, on_heartbeat, j);
}
