/*
 * Dead worker processes whose jobs the database does not know to be free yet.
 *
 * An entry waits for the strays of its process, then is asked of the janitor,
 * and goes when the janitor says that it is done.  A new janitor is asked anew:
 * reaping twice does nothing.  When the database is away for long the list is
 * cut; the lease brings back what is cut off.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "supervisor/internal.h"

#define REAPS_MAX 4096

enum reap_state { REAP_WAITS, REAP_FREE_TO_ASK, REAP_ASKED };

struct reap {
    struct reap *next;
    enum reap_state state;
    int64_t died_mono_ms;
    struct order order;
};

static void
drop(struct supervisor *sup, struct reap **at)
{
    struct reap *gone = *at;

    *at = gone->next;
    sup->n_reaps--;
    free(gone);
}

static void
append(struct supervisor *sup, enum reap_state state, const struct order *order)
{
    struct reap *reap = xcalloc(1, sizeof(*reap)), **end = &sup->reaps;

    reap->state = state;
    reap->died_mono_ms = clock_mono_ms();
    reap->order = *order;
    while (*end != NULL)
        end = &(*end)->next;
    *end = reap;
    if (++sup->n_reaps > REAPS_MAX) {
        log_warn("more than %d dead workers wait to be reaped: the oldest is left to its lease",
                 REAPS_MAX);
        kin_remove(sup->kin, &sup->reaps->order.process);
        drop(sup, &sup->reaps);
    }
}

void
reap_add(struct supervisor *sup, const struct uuid *process, const struct board_score *score,
         bool only)
{
    struct order order = {.what = ORDER_REAP, .process = *process, .only = only};

    for (int i = 0; i < score->n_running && i < BOARD_RUNNING; i++)
        order.ids[order.n_ids++] = score->running[i].job_id;
    append(sup, REAP_WAITS, &order);
}

void
reap_add_unseen(struct supervisor *sup, const struct uuid *process)
{
    struct order order = {.what = ORDER_REAP, .process = *process, .unseen = true};

    append(sup, REAP_FREE_TO_ASK, &order);
}

bool
reap_oldest_waiting(const struct supervisor *sup, int64_t *ret_died_mono_ms)
{
    for (const struct reap *reap = sup->reaps; reap != NULL; reap = reap->next) {
        if (reap->state == REAP_WAITS) {
            *ret_died_mono_ms = reap->died_mono_ms;
            return true;
        }
    }
    return false;
}

void
reap_release(struct supervisor *sup, int64_t died_until_mono_ms)
{
    for (struct reap *reap = sup->reaps; reap != NULL; reap = reap->next) {
        if (reap->state == REAP_WAITS && reap->died_mono_ms <= died_until_mono_ms)
            reap->state = REAP_FREE_TO_ASK;
    }
    fault_here("death.cleared");
    reap_tell_janitor(sup);
}

void
reap_tell_janitor(struct supervisor *sup)
{
    if (sup->janitor.state != SLOT_READY)
        return; /* the next one is told when it is ready */
    for (struct reap *reap = sup->reaps; reap != NULL; reap = reap->next) {
        if (reap->state != REAP_FREE_TO_ASK)
            continue;
        order_send(sup->janitor.member->port, &reap->order);
        reap->state = REAP_ASKED;
    }
}

void
reap_ask_again(struct supervisor *sup)
{
    for (struct reap *reap = sup->reaps; reap != NULL; reap = reap->next) {
        if (reap->state == REAP_ASKED)
            reap->state = REAP_FREE_TO_ASK;
    }
    reap_tell_janitor(sup);
}

void
reap_done(struct supervisor *sup, const struct uuid *process)
{
    for (struct reap **at = &sup->reaps; *at != NULL; at = &(*at)->next) {
        if (!uuid_equal(&(*at)->order.process, process))
            continue;
        kin_remove(sup->kin, process);
        drop(sup, at);
        wake_one(&sup->wake); /* its jobs can be claimed again */
        ending_check(sup);
        return;
    }
}

void
reap_free_all(struct supervisor *sup)
{
    while (sup->reaps != NULL)
        drop(sup, &sup->reaps);
}
