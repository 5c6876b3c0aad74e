/*
 * The end of the daemon, step by step; each has a limit, and it never goes back.
 *
 * The janitor stays until the workers are gone: it renews their leases while
 * they drain, and gives back what they still held.  Until then users are served, too.
 */
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/internal.h"

/* How much longer than a handler's own grace a worker may take to end. */
#define WORKER_EXTRA_MS 2000
#define REAP_MS 2000
#define JANITOR_MS 2000
/* Longer than who serves HTTP takes to end, see front.c. */
#define FRONTS_MS 8000
#define KILL_MS 5000

static void
set_patience(struct supervisor *sup, int64_t ms)
{
    loop_timer_in(sup->loop, &sup->patience, ms);
}

static bool
is_any_left(struct supervisor *sup, bool workers_only)
{
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member != NULL && (!workers_only || slot->role == BOARD_WORKER))
            return true;
    }
    return false;
}

void
ending_drain(struct supervisor *sup, bool with_limit)
{
    bool is_first = sup->ending == ENDING_NOT;
    char limit[32];

    if (sup->ending > ENDING_DRAIN)
        return;
    sup->ending = ENDING_DRAIN;
    sup->ending_has_limit |= with_limit;
    if (with_limit) {
        log_info("ending: running jobs may take up to %s more",
                 text_from_ms(limit, sup->conf->drain_ms));
        set_patience(sup, sup->conf->drain_ms);
    } else {
        log_info("ending when all running jobs have ended");
    }
    if (!is_first)
        return;
    notify_stopping(sup);
    fault_here("ending.drain");
    tell_all(sup, SLOT_EV_DRAIN, true);
    ending_check(sup);
}

void
ending_stop(struct supervisor *sup)
{
    bool is_first = sup->ending == ENDING_NOT;

    if (sup->ending >= ENDING_STOP)
        return;
    sup->ending = ENDING_STOP;
    log_info("ending: running jobs are ended and go back to their queues");
    set_patience(sup, sup->conf->grace_ms + WORKER_EXTRA_MS);
    if (is_first)
        notify_stopping(sup);
    fault_here("ending.stop");
    tell_all(sup, SLOT_EV_STOP, true);
    ending_check(sup);
}

static bool
has_front(const struct supervisor *sup)
{
    for (int i = 0; i < FRONTS; i++) {
        if (sup->fronts[i].slot.member != NULL)
            return true;
    }
    return false;
}

static void
go_to(struct supervisor *sup, enum ending next)
{
    sup->ending = next;
    switch (next) {
    case ENDING_KILL:
        log_warn("ending: killing the workers that have not ended");
        fault_here("ending.kill");
        set_patience(sup, KILL_MS);
        tell_all(sup, SLOT_EV_KILL, true);
        break;
    case ENDING_REAP:
        fault_here("ending.reap");
        set_patience(sup, REAP_MS);
        break;
    case ENDING_JANITOR:
        fault_here("ending.janitor");
        set_patience(sup, has_front(sup) ? FRONTS_MS : JANITOR_MS);
        fronts_close(sup);
        tell_all(sup, SLOT_EV_DRAIN, false);
        break;
    case ENDING_OVER:
        fault_here("ending.over");
        ev_timer_stop(sup->loop, &sup->patience);
        ev_break(sup->loop, EVBREAK_ALL);
        break;
    case ENDING_NOT:
    case ENDING_DRAIN:
    case ENDING_STOP:
        break;
    }
}

/* Nobody can give anything back: there is no janitor and there will be none. */
static bool
is_reaping_hopeless(const struct supervisor *sup)
{
    return sup->janitor.state == SLOT_HELD || sup->janitor.state == SLOT_EMPTY;
}

void
ending_check(struct supervisor *sup)
{
    if (sup->ending == ENDING_NOT || sup->ending == ENDING_OVER)
        return;
    if (sup->ending < ENDING_REAP && !is_any_left(sup, true))
        go_to(sup, ENDING_REAP);
    if (sup->ending == ENDING_REAP && (sup->n_reaps == 0 || is_reaping_hopeless(sup)))
        go_to(sup, ENDING_JANITOR);
    if (sup->ending == ENDING_JANITOR && !is_any_left(sup, false))
        go_to(sup, ENDING_OVER);
}

/* Who does not die of SIGKILL is stuck in the kernel; whoever started us has to deal with it. */
static void
give_up(struct supervisor *sup)
{
    log_error("ending: some children cannot be killed, leaving them behind");
    sup->exit_status = 1;
    go_to(sup, ENDING_OVER);
}

static void
on_impatient(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct supervisor *sup = timer->data;

    if (sup->ending == ENDING_DRAIN) {
        ending_stop(sup);
    } else if (sup->ending == ENDING_STOP) {
        go_to(sup, ENDING_KILL);
    } else if (sup->ending == ENDING_REAP) {
        log_warn(
            "ending: the database was not told of %zu workers that have ended; their leases will tell it",
            sup->n_reaps);
        go_to(sup, ENDING_JANITOR);
    } else if (sup->ending == ENDING_JANITOR && sup->janitor.state != SLOT_KILLED) {
        set_patience(sup, KILL_MS);
        tell_all(sup, SLOT_EV_KILL, false);
    } else if (sup->ending != ENDING_OVER) {
        give_up(sup);
    }
    ending_check(sup);
}

void
ending_init(struct supervisor *sup)
{
    loop_timer_init(&sup->patience, on_impatient);
    sup->patience.data = sup;
}

const char *
ending_name(const struct supervisor *sup)
{
    if (sup->ending == ENDING_NOT)
        return sup->stall.is_on ? "stalled" : sup->is_announced ? "running" : "starting";
    return sup->ending == ENDING_DRAIN ? "draining" : "stopping";
}
