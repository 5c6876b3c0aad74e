/*
 * STALLED: workers are idle, jobs that they could take wait, and nothing has been claimed
 * for queue.stall_after.  The janitor says so, and whose fault it is: it has made the
 * database claim a job for an idle worker, and undo that.
 *
 * When the database gives nothing a person has to look: no restart of ours can help.  When
 * it does, the fault is in this daemon.  First idle workers are replaced, some at a
 * time; they have no jobs, and the new ones have sessions of their own.  If that does not
 * help, and no job runs that would be lost, systemd is not told any more that all is well,
 * and starts us anew.  Not if we have never claimed anything since our start: then we were
 * started anew for this already, or might have been, and it would go on for ever.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/internal.h"

#define REPLACED_AT_ONCE 8
/* The pause before they are replaced again doubles, so often. */
#define DOUBLINGS 6

static bool
is_idle(struct slot *slot)
{
    struct board_roster who;
    struct board_score score;

    return slot->role == BOARD_WORKER && !slot->is_leaving && slot->state == SLOT_READY &&
           board_read(slot->sup->board, slot->member->place, &who, &score) &&
           score.state == BOARD_IDLE && score.holds;
}

/* Those forked before this moment; how many. */
static int
replace_idle(struct supervisor *sup, int64_t before_mono_ms)
{
    struct slot *slot, *next;
    int n = 0;

    for (slot = next_slot(sup, NULL); slot != NULL && n < REPLACED_AT_ONCE; slot = next) {
        next = next_slot(sup, slot);
        if (!is_idle(slot) || slot->member->forked_mono_ms >= before_mono_ms)
            continue;
        slot_event(slot, SLOT_EV_RENEW);
        n++;
    }
    return n;
}

/* How long the last help has had to show. */
static int64_t
patience_ms(const struct supervisor *sup)
{
    int doublings = sup->stall.helps < DOUBLINGS ? sup->stall.helps : DOUBLINGS;

    return sup->stall.helps == 0 ? 0 : sup->conf->stall_after_ms << (doublings - 1);
}

static bool
may_restart(struct supervisor *sup)
{
    struct counts c;

    count_workers(sup, &c);
    return sup->watchdog_ms > 0 && c.running == 0 && c.busy == 0 && c.claimed > 0;
}

static void
help(struct supervisor *sup)
{
    struct stall *s = &sup->stall;
    int64_t now_ms = clock_mono_ms();
    int n;

    /* The rest of those that were there when help began. */
    n = s->helps > 0 ? replace_idle(sup, s->helped_mono_ms) : 0;
    if (n > 0 || now_ms - s->helped_mono_ms < patience_ms(sup))
        return;
    if (s->helps > 0 && may_restart(sup)) {
        log_error("STALLED: fresh workers do not claim either: the watchdog is not fed any more, "
                  "systemd starts pgcrewd anew");
        s->gave_up = true;
        return;
    }
    s->helps++;
    s->helped_mono_ms = now_ms;
    n = replace_idle(sup, now_ms);
    log_warn("STALLED: replacing idle workers, %d at first", n);
}

void
stall_on(struct supervisor *sup)
{
    struct stall *s = &sup->stall;
    struct board_stall said;
    char since[32];

    if (sup->ending != ENDING_NOT || !board_read_stall(sup->board, &said))
        return;
    if (!s->is_on || s->is_ours != said.is_ours)
        log_error("STALLED: workers are idle and %" PRId64 " jobs wait in queue %s, but nothing "
                  "has been claimed for %s: %s",
                  said.jobs, said.queues, text_ago(since, clock_mono_ms() - said.since_mono_ms),
                  said.text);
    if (!s->is_on) {
        s->is_on = true;
        s->since_mono_ms = said.since_mono_ms;
        s->n++;
        sup->status_mono_ms = 0;
    }
    s->is_ours = said.is_ours;
    if (s->is_ours && !s->gave_up)
        help(sup);
    if (!s->is_ours)
        s->gave_up = false;
}

void
stall_over(struct supervisor *sup, const char *why)
{
    struct stall *s = &sup->stall;
    char since[32];

    if (!s->is_on)
        return;
    log_info("STALLED no more, after %s: %s", text_ago(since, clock_mono_ms() - s->since_mono_ms),
             why);
    *s = (struct stall){.n = s->n};
    sup->status_mono_ms = 0;
}
