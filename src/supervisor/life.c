/*
 * Does what the table of slots says.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "supervisor/internal.h"

/* A planned end after less than this is not recycling, whatever it says. */
#define TOO_SHORT_MS 1000

static void
on_timer(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    slot_event(timer->data, SLOT_EV_TIMER);
}

void
slot_init(struct slot *slot, struct supervisor *sup, enum board_role role, int number)
{
    *slot = (struct slot){
        .sup = sup,
        .role = role,
        .number = number,
        .backoff = BACKOFF_OF_CHILDREN,
    };
    loop_timer_init(&slot->timer, on_timer);
    slot->timer.data = slot;
}

/* --- what is done ---------------------------------------------------------------- */

static int64_t
worked_ms(const struct slot *slot)
{
    return slot->member != NULL ? clock_mono_ms() - slot->member->forked_mono_ms : 0;
}

static void
start_in(struct slot *slot, int64_t ms)
{
    loop_timer_in(slot->sup->loop, &slot->timer, ms);
    renewal_go_on(slot->sup);
}

static void
do_nothing(UNUSED struct slot *slot)
{
}

static void
do_fork(struct slot *slot)
{
    struct err err = {0};
    char title[48];

    ev_timer_stop(slot->sup->loop, &slot->timer);
    if (fork_member(slot, &err))
        return;
    tallying_restarted(slot, RESTART_FORK_FAILED);
    snprintf(slot->why, sizeof(slot->why), "cannot be started: %.*s", 140, err.text);
    log_warn("cannot start %s: %s", slot_title(slot, title), err.text);
    slot_event(slot, SLOT_EV_FORK_FAILED);
}

static void
do_welcome(struct slot *slot)
{
    renewal_go_on(slot->sup);
    notify_settled(slot->sup);
    if (slot->role != BOARD_JANITOR)
        return;
    reap_ask_again(slot->sup);
    stall_over(slot->sup, "a new janitor looks anew");
}

static void
do_restart(struct slot *slot)
{
    int64_t ms = worked_ms(slot);

    start_in(slot, ms >= TOO_SHORT_MS ? 0 : backoff_failed(&slot->backoff, ms));
}

static void
do_back_off(struct slot *slot)
{
    char title[48];
    int64_t wait_ms = backoff_jitter(backoff_failed(&slot->backoff, worked_ms(slot)));

    log_info("starting %s again in %lld ms", slot_title(slot, title), (long long)wait_ms);
    start_in(slot, wait_ms);
}

/* When the database is away all children end at once: that is one failure, not one for each. */
static void
do_wait_database(struct slot *slot)
{
    struct supervisor *sup = slot->sup;
    int64_t now_ms = clock_mono_ms();

    if (sup->database_until_mono_ms <= now_ms)
        sup->database_until_mono_ms =
            now_ms + backoff_failed(&sup->database_backoff, worked_ms(slot));
    start_in(slot, backoff_jitter(sup->database_until_mono_ms - now_ms));
}

static void
do_hold(struct slot *slot)
{
    struct front *front = front_of(slot);
    char title[48];

    log_error("%s cannot work with this configuration (it said why): it is started again after a "
              "reload",
              slot_title(slot, title));
    if (front != NULL)
        front_close(front);
    renewal_go_on(slot->sup);
    notify_settled(slot->sup);
}

static void
do_tell_drain(struct slot *slot)
{
    if (slot->role == BOARD_WORKER && !slot->is_leaving)
        wake_busy(&slot->sup->wake, slot->number);
    order_say(slot->member->port, ORDER_DRAIN);
}

static void
do_tell_stop(struct slot *slot)
{
    if (slot->role == BOARD_WORKER && !slot->is_leaving)
        wake_busy(&slot->sup->wake, slot->number);
    order_say(slot->member->port, ORDER_STOP);
}

static void
do_kill(struct slot *slot)
{
    kill(slot->member->pid, SIGKILL);
}

static void
do_let_go(struct slot *slot)
{
    struct slot *leaving = xmalloc(sizeof(*leaving));

    slot_init(leaving, slot->sup, slot->role, slot->number);
    leaving->is_leaving = true;
    leaving->member = slot->member;
    leaving->member->slot = leaving;
    leaving->generation = slot->generation;
    leaving->next = slot->sup->leaving;
    slot->sup->leaving = leaving;
    slot->member = NULL;
    if (slot->role == BOARD_WORKER)
        wake_busy(&slot->sup->wake, slot->number);
    leaving->state = SLOT_DRAINING;
    do_tell_drain(leaving);
}

static void
do_replace(struct slot *slot)
{
    do_let_go(slot);
    fault_here("reload.replaces");
    do_fork(slot);
}

static void
do_cancel_timer(struct slot *slot)
{
    ev_timer_stop(slot->sup->loop, &slot->timer);
    ending_check(slot->sup);
}

/* clang-format off */
static void (*const acts[])(struct slot *slot) = {
    [SLOT_DO_NOTHING]       = do_nothing,
    [SLOT_DO_FORK]          = do_fork,
    [SLOT_DO_WELCOME]       = do_welcome,
    [SLOT_DO_RESTART]       = do_restart,
    [SLOT_DO_BACK_OFF]      = do_back_off,
    [SLOT_DO_WAIT_DATABASE] = do_wait_database,
    [SLOT_DO_HOLD]          = do_hold,
    [SLOT_DO_LET_GO]        = do_let_go,
    [SLOT_DO_REPLACE]       = do_replace,
    [SLOT_DO_TELL_DRAIN]    = do_tell_drain,
    [SLOT_DO_TELL_STOP]     = do_tell_stop,
    [SLOT_DO_KILL]          = do_kill,
    [SLOT_DO_FORGET]        = do_nothing, /* death.c said it and clears up */
    [SLOT_DO_CANCEL_TIMER]  = do_cancel_timer,
};
/* clang-format on */

void
slot_event(struct slot *slot, enum slot_event event)
{
    struct slot_rule rule = slot_next(slot->state, event);
    char title[48];

    if (rule.action == SLOT_DO_IMPOSSIBLE || rule.action == SLOT_DO_COMPLAIN) {
        log_error("%s is %s and should not meet '%s': nothing is done about it",
                  slot_title(slot, title), slot_state_name(slot->state), slot_event_name(event));
        return;
    }
    slot->state = rule.next;
    acts[rule.action](slot);
}

void
tell_all(struct supervisor *sup, enum slot_event event, bool workers_only)
{
    struct slot *slot, *next;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next) {
        next = next_slot(sup, slot);
        if (!workers_only || slot->role == BOARD_WORKER)
            slot_event(slot, event);
    }
}
