/*
 * Who has stopped beating.  A child whose loop does not turn any more neither
 * claims nor reports nor hears orders: it is killed, and started again like any
 * other that died.
 */
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/internal.h"

static void
check(struct supervisor *sup, struct slot *slot, int64_t now_ms, bool we_slept)
{
    struct member *m = slot->member;
    struct board_roster who;
    struct board_score score;
    char title[48], since[32];

    if (!board_read(sup->board, m->place, &who, &score))
        return;
    if (score.beat != m->beat || we_slept) {
        m->beat = score.beat;
        m->beat_seen_mono_ms = now_ms;
    }
    if (now_ms - m->beat_seen_mono_ms < sup->conf->stall_ms || m->is_stalled)
        return;
    m->is_stalled = true;
    log_error("%s (pid %d) has not answered for %s: killing it", slot_title(slot, title),
              (int)m->pid, text_ago(since, now_ms - m->beat_seen_mono_ms));
    slot_event(slot, SLOT_EV_STALLED);
}

/* we_slept: we were stopped ourselves, as the children may have been. */
void
pulse_check(struct supervisor *sup, bool we_slept)
{
    int64_t now_ms = clock_mono_ms();
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member != NULL)
            check(sup, slot, now_ms, we_slept);
    }
}
