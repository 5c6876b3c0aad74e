/*
 * What systemd is told, by sd_notify(3).  Without systemd nothing happens here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "supervisor/internal.h"

#define STATUS_EVERY_MS 1000
/* While ending, each tick asks for so much more time: the limits are ours, not the unit's. */
#define EXTEND "EXTEND_TIMEOUT_USEC=15000000"

/* False: it was not heard. */
static bool
tell(const char *point, const char *what)
{
    return !fault_fails(point, ECONNREFUSED) && sd_notify(0, what) >= 0;
}

static void
on_watchdog(struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct supervisor *sup = timer->data;

    if (!sup->stall.gave_up)
        tell("systemd.alive", "WATCHDOG=1");
    loop_timer_in(loop, timer, sup->watchdog_ms);
}

void
notify_start(struct supervisor *sup)
{
    uint64_t usec = 0;

    loop_timer_init(&sup->watchdog, on_watchdog);
    sup->watchdog.data = sup;
    if (sd_watchdog_enabled(0, &usec) <= 0)
        return;
    sup->watchdog_ms = (int64_t)(usec / 1000 / 2);
    loop_timer_in(sup->loop, &sup->watchdog, 0);
}

/* A child that is held will not become ready, but it is as far as it gets. */
static bool
is_on_its_way(struct slot *slot)
{
    if (slot->is_leaving)
        return false;
    /* Jobs are run without who serves HTTP, too. */
    return slot->state == SLOT_STARTING || (slot->state == SLOT_BACKOFF && front_of(slot) == NULL);
}

static bool
is_settled(struct supervisor *sup)
{
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (is_on_its_way(slot))
            return false;
    }
    return true;
}

/* Who does not hear of this ends us after a while: it is said until it is heard. */
static void
tell_ready(struct supervisor *sup, const char *point)
{
    sup->ready_is_lost = !tell(point, "READY=1");
}

void
notify_settled(struct supervisor *sup)
{
    if (sup->is_announced || sup->ending != ENDING_NOT || !is_settled(sup))
        return;
    sup->is_announced = true;
    tell_ready(sup, "systemd.ready");
    sup->status_mono_ms = 0;
    notify_tick(sup);
}

void
notify_reloading(struct supervisor *sup)
{
    char text[64];

    sup->owes_ready = true;
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_mono_ns() / 1000);
    tell("systemd.reloads", text);
}

void
notify_reloaded(struct supervisor *sup)
{
    if (!sup->owes_ready)
        return;
    sup->owes_ready = false;
    tell_ready(sup, "systemd.reloaded");
}

void
notify_stopping(UNUSED struct supervisor *sup)
{
    tell("systemd.stops", "STOPPING=1\n" EXTEND);
}

static void
write_status(struct supervisor *sup, char *ret, size_t size)
{
    struct board_stall stall;
    struct counts c;
    char since[32];

    count_workers(sup, &c);
    if (sup->ending != ENDING_NOT)
        snprintf(ret, size, "%s, %d jobs running", ending_name(sup), c.running);
    else if (sup->stall.is_on && board_read_stall(sup->board, &stall))
        snprintf(ret, size, "STALLED: nothing claimed of queue %s for %s: %s", stall.queues,
                 text_ago(since, clock_mono_ms() - stall.since_mono_ms), stall.text);
    else if (c.held > 0)
        snprintf(ret, size, "%d of %d workers cannot work: %s", c.held, sup->workers_wanted,
                 c.held_text[0] != '\0' ? c.held_text : "wrong configuration, see the log");
    else if (c.connecting > 0 && c.idle + c.busy == 0)
        snprintf(ret, size, "no database; %d workers are trying to reach it", c.connecting);
    else
        snprintf(ret, size, "%d workers (%d idle, %d busy), %d jobs running, %" PRIu64 " ended",
                 sup->workers_wanted, c.idle, c.busy, c.running, c.ended);
}

void
notify_tick(struct supervisor *sup)
{
    int64_t now_ms = clock_mono_ms();
    char text[sizeof(sup->status)], said[sizeof(text) + sizeof("STATUS=")];

    if (sup->ending != ENDING_NOT)
        tell("systemd.extends", EXTEND);
    else if (sup->ready_is_lost && !sup->owes_ready)
        tell_ready(sup, "systemd.ready");
    if (sup->status_mono_ms != 0 && now_ms - sup->status_mono_ms < STATUS_EVERY_MS)
        return;
    sup->status_mono_ms = now_ms;
    write_status(sup, text, sizeof(text));
    if (strcmp(text, sup->status) == 0)
        return;
    snprintf(said, sizeof(said), "STATUS=%s", text);
    if (tell("systemd.status", said))
        memcpy(sup->status, text, sizeof(text));
}
