/*
 * Who has stopped beating, and which worker has too much memory.  A child whose loop
 * does not turn any more neither claims nor reports nor hears orders; one that grows
 * without end takes the host down.  It is killed, and started again like any other
 * that died.
 *
 * A worker with nothing to do does not get up to beat.  It is asked for a sign of life
 * only when it has been told something: then it has to hear it.
 */
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/text.h"
#include "supervisor/internal.h"

#define MIB (1024.0 * 1024.0)

/* Nobody waits for a worker that rests, once it has heard all it was told. */
static bool
is_at_rest(const struct member *m, const struct board_score *score)
{
    return score->rests && score->heard == order_sent(m->port);
}

static void
check_beat(struct supervisor *sup, struct slot *slot, int64_t now_ms, bool we_slept)
{
    struct member *m = slot->member;
    struct board_roster who;
    struct board_score score;
    char title[48], since[32];

    if (!board_read(sup->board, m->place, &who, &score))
        return;
    if (score.beat != m->beat || is_at_rest(m, &score) || we_slept) {
        m->beat = score.beat;
        m->beat_seen_mono_ms = now_ms;
    }
    if (now_ms - m->beat_seen_mono_ms < sup->conf->stall_ms)
        return;
    m->killed_for = RESTART_STALLED;
    log_error("%s (pid %d) has not answered for %s: killing it", slot_title(slot, title),
              (int)m->pid, text_ago(since, now_ms - m->beat_seen_mono_ms));
    slot_event(slot, SLOT_EV_STALLED);
}

static void
check_memory(struct supervisor *sup, struct slot *slot)
{
    struct member *m = slot->member;
    char title[48], limit[32];
    int64_t rss_bytes;

    if (sup->conf->memory_max == 0 || slot->role != BOARD_WORKER)
        return;
    rss_bytes = memory_rss_bytes(m);
    if (rss_bytes <= (int64_t)sup->conf->memory_max)
        return;
    m->killed_for = RESTART_MEMORY;
    log_error("%s (pid %d) has %.1f MiB of memory, worker.memory_max is %s: killing it",
              slot_title(slot, title), (int)m->pid, (double)rss_bytes / MIB,
              text_from_bytes(limit, (int64_t)sup->conf->memory_max));
    slot_event(slot, SLOT_EV_STALLED);
}

/* we_slept: we were stopped ourselves, as the children may have been. */
void
pulse_check(struct supervisor *sup, bool we_slept)
{
    int64_t now_ms = clock_mono_ms();
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member != NULL && slot->member->killed_for == RESTART_PLANNED)
            check_beat(sup, slot, now_ms, we_slept);
        if (slot->member != NULL && slot->member->killed_for == RESTART_PLANNED)
            check_memory(sup, slot);
    }
}
