/*
 * What children say.
 */
#include <signal.h>

#include "base/log.h"
#include "supervisor/internal.h"

/* A leaving worker keeps its number, which is somebody else's now: it is not woken. */
static bool
is_wakeable(const struct slot *slot)
{
    return slot->role == BOARD_WORKER && !slot->is_leaving &&
           (slot->state == SLOT_READY || slot->state == SLOT_STARTING);
}

static void
on_ready(struct member *from, UNUSED const struct order *order)
{
    slot_event(from->slot, SLOT_EV_READY);
}

static void
on_idle(struct member *from, UNUSED const struct order *order)
{
    if (is_wakeable(from->slot))
        wake_idle(&from->slot->sup->wake, from->slot->number);
}

static void
on_busy(struct member *from, UNUSED const struct order *order)
{
    if (is_wakeable(from->slot))
        wake_busy(&from->slot->sup->wake, from->slot->number);
}

static void
on_more(struct member *from, UNUSED const struct order *order)
{
    wake_one(&from->slot->sup->wake);
}

static void
on_news(struct member *from, UNUSED const struct order *order)
{
    wake_news(&from->slot->sup->wake);
}

static void
on_quiet(struct member *from, UNUSED const struct order *order)
{
    wake_looked(&from->slot->sup->wake, false);
}

static void
on_waits(struct member *from, UNUSED const struct order *order)
{
    wake_looked(&from->slot->sup->wake, true);
}

static void
on_stalled(struct member *from, UNUSED const struct order *order)
{
    stall_on(from->slot->sup);
}

static void
on_flows(struct member *from, UNUSED const struct order *order)
{
    struct board_stall said;

    if (board_read_stall(from->slot->sup->board, &said))
        stall_over(from->slot->sup, said.text);
}

static void
on_reaped(struct member *from, const struct order *order)
{
    reap_done(from->slot->sup, &order->process);
}

/* From the janitor to the worker it is about, who may have ended meanwhile. */
static void
pass_on(struct member *from, const struct order *order)
{
    struct supervisor *sup = from->slot->sup;
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->role == BOARD_WORKER && slot->member != NULL &&
            uuid_equal(&slot->member->process, &order->process)) {
            order_send(slot->member->port, order);
            return;
        }
    }
}

/* clang-format off */
static const struct {
    enum order_what what;
    enum board_role from; /* NOBODY: any child */
    void (*act)(struct member *from, const struct order *order);
} answers[] = {
    {ORDER_READY,  BOARD_NOBODY,  on_ready},
    {ORDER_IDLE,   BOARD_WORKER,  on_idle},
    {ORDER_BUSY,   BOARD_WORKER,  on_busy},
    {ORDER_MORE,   BOARD_WORKER,  on_more},
    {ORDER_NEWS,   BOARD_JANITOR, on_news},
    {ORDER_QUIET,  BOARD_JANITOR, on_quiet},
    {ORDER_WAITS,  BOARD_JANITOR, on_waits},
    {ORDER_REAPED, BOARD_JANITOR, on_reaped},
    {ORDER_STALLED, BOARD_JANITOR, on_stalled},
    {ORDER_FLOWS,  BOARD_JANITOR, on_flows},
    {ORDER_CANCEL, BOARD_JANITOR, pass_on},
    {ORDER_FENCED, BOARD_JANITOR, pass_on},
};
/* clang-format on */

void
hear_order(void *owner, const struct order *order)
{
    struct member *from = owner;
    char title[48];

    for (size_t i = 0; i < LENGTH(answers); i++) {
        if (answers[i].what != order->what ||
            (answers[i].from != BOARD_NOBODY && answers[i].from != from->slot->role))
            continue;
        answers[i].act(from, order);
        return;
    }
    log_warn("%s said '%s', which is not its to say: not heard", slot_title(from->slot, title),
             order_name(order->what));
}

/*
 * A child that has closed its end is ending, or is out of its mind, or has not
 * read for ages.  None of them can be told anything any more.
 */
void
hear_gone(void *owner)
{
    struct member *from = owner;

    kill(from->pid, SIGKILL);
}
