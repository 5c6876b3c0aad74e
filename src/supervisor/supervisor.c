/*
 * The supervisor's loop.  Nothing in it may block, and nothing that fails in it
 * ends the daemon: what cannot be done now is tried again later.
 */
#include "supervisor/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/delegation.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/scratch.h"
#include "supervisor/internal.h"
#include "supervisor/methods.h"

#define TICK_MAX_MS 1000
/* A stalled child is found after its limit and at most a quarter more. */
#define TICKS_PER_STALL 4
#define EXIT_CONFIG 78

struct slot *
next_slot(struct supervisor *sup, const struct slot *before)
{
    int number;

    if (before == NULL)
        return &sup->janitor;
    if (before->is_leaving)
        return before->next;
    if (before->role == BOARD_JANITOR)
        return &sup->fronts[FRONT_GATEWAY].slot;
    if (before->role == BOARD_GATEWAY)
        return &sup->fronts[FRONT_DASHBOARD].slot;
    number = before->number; /* the dashboard's is 0, so worker 1 follows */
    return number < sup->workers_made ? &sup->workers[number] : sup->leaving;
}

size_t
list_pids(struct supervisor *sup, pid_t **ret)
{
    struct slot *slot;
    size_t n = 0, room = 0;

    *ret = NULL;
    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member == NULL)
            continue;
        if (n == room) {
            room = room > 0 ? room * 2 : 16;
            *ret = xrealloc(*ret, room * sizeof(**ret));
        }
        (*ret)[n++] = slot->member->pid;
    }
    return n;
}

const char *
slot_title(const struct slot *slot, char ret[48])
{
    const char *leaving = slot->is_leaving ? " (leaving)" : "";

    if (slot->role == BOARD_WORKER)
        snprintf(ret, 48, "worker %d%s", slot->number, leaving);
    else
        snprintf(ret, 48, "%s%s", board_role_name(slot->role), leaving);
    return ret;
}

/* --- turning --------------------------------------------------------------------- */

static int64_t
tick_ms(const struct supervisor *sup)
{
    int64_t ms = sup->conf->stall_ms / TICKS_PER_STALL;

    return ms < TICK_MAX_MS ? ms : TICK_MAX_MS;
}

static void
on_tick(struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct supervisor *sup = timer->data;
    int64_t now_ms = clock_mono_ms();
    bool we_slept = now_ms - sup->ticked_mono_ms > tick_ms(sup) + sup->conf->stall_ms / 2;

    sup->ticked_mono_ms = now_ms;
    pulse_check(sup, we_slept);
    stray_tick(sup);
    tallying_tick(sup);
    notify_tick(sup);
    loop_timer_in(loop, timer, tick_ms(sup));
}

static void
wake_worker(void *owner, int number)
{
    struct supervisor *sup = owner;
    struct slot *slot = &sup->workers[number - 1];

    if (slot->member != NULL)
        order_say(slot->member->port, ORDER_WAKE);
}

/* --- beginning and end ------------------------------------------------------------- */

static struct supervisor *
begin(const struct supervisor_plan *plan)
{
    struct supervisor *sup = xcalloc(1, sizeof(*sup));

    sup->plan = plan;
    sup->conf = plan->conf;
    sup->loop = loop_get();
    sup->place = CTL_NOWHERE;
    sup->generation = 1;
    sup->started_mono_ms = sup->ticked_mono_ms = clock_mono_ms();
    sup->database_backoff = BACKOFF_OF_CHILDREN;
    slot_init(&sup->janitor, sup, BOARD_JANITOR, 0);
    fronts_init(sup);
    wake_init(&sup->wake, sup->loop, sup->conf->poll_ms, wake_worker, sup);
    ending_init(sup);
    stray_init(sup);
    loop_timer_init(&sup->tick, on_tick);
    sup->tick.data = sup;
    return sup;
}

/* Without a list of our workers we do what we can. */
static void
open_kin(struct supervisor *sup)
{
    struct err err = {0};

    sup->kin = kin_new(sup->place.lock_fd, &err);
    if (sup->kin == NULL)
        log_warn("cannot keep a list of workers in '%s.lock': %s; "
                 "should this daemon be killed, their jobs come back by their lease only",
                 sup->place.path, err.text);
}

/* What handlers are confined with is made before the first fork: all children know of it. */
static void
prepare_confinement(void)
{
    const char *why;
    struct err err = {0};

    if (delegation_take(&why)) {
        log_info("limits of handlers are held by control groups: %s", delegation_text());
    } else {
        log_info("no control groups, because %s: limits of handlers are those of each process",
                 why);
    }
    if (!scratch_begin(&err))
        log_error("%s: handlers cannot start", err.text);
}

static void
run(struct supervisor *sup)
{
    struct err err = {0};

    prepare_confinement();
    sup->board = board_new();
    tallying_init(sup);
    sup->ctl = ctl_new(sup->loop, &sup->place, supervisor_methods, n_supervisor_methods, sup);
    death_start(sup);
    notify_start(sup);
    open_kin(sup);
    log_info("pgcrewd %s begins as '%s' with %d workers", PACKAGE_VERSION, sup->conf->name,
             sup->conf->workers);
    legacy_begin(sup);
    slot_event(&sup->janitor, SLOT_EV_START);
    if (!scale_to(sup, sup->conf->workers, &err))
        log_error("%s", err.text);
    fronts_follow(sup);
    loop_timer_in(sup->loop, &sup->tick, tick_ms(sup));
    ev_run(sup->loop, 0);
    stray_kill_all(sup);
    scratch_end();
    log_info("pgcrewd ends");
}

static void
end(struct supervisor *sup)
{
    struct slot *slot, *next;

    signals_ignore();
    signals_stop(sup);
    ctl_free(sup->ctl);
    ctl_place_release(&sup->place);
    for (slot = next_slot(sup, NULL); slot != NULL; slot = next) {
        next = next_slot(sup, slot);
        member_free(slot->member);
        if (slot->is_leaving)
            free(slot);
    }
    fronts_close(sup);
    wake_release(&sup->wake);
    reap_free_all(sup);
    legacy_free(sup);
    kin_free(sup->kin);
    tallying_release(sup);
    conf_free(sup->conf);
    free(sup->inherited);
    free(sup);
}

int
supervisor_main(const struct supervisor_plan *plan)
{
    struct supervisor *sup;
    struct err err = {0};
    int status;

    proc_hide(); /* the configuration has passwords; handlers may run as our user */
    log_set_process("supervisor");
    log_set_level(plan->conf->log_level);
    sup = begin(plan);
    signals_start(sup); /* who sees the socket may send one */
    if (ctl_listen(sup->conf->socket_path, sup->conf->socket_group, &sup->place, &err)) {
        run(sup);
        status = sup->exit_status;
    } else {
        log_error("%s", err.text);
        status = err.class == ERR_CONFIG ? EXIT_CONFIG : 1;
    }
    end(sup);
    return status;
}
