/*
 * A process has ended: which slot it leaves, why, and what has to be cleared up.
 *
 * One signal may stand for many dead; libev asks the kernel until there are no
 * more, and calls on_any_child() for each.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fault.h"
#include "base/log.h"
#include "supervisor/internal.h"

/* What an exit means, and what a person is told. */
struct verdict {
    enum slot_event event;
    enum restart reason;
    bool is_crash;
    char text[80];
};

static struct verdict
judge_status(int status)
{
    struct verdict v = {SLOT_EV_EXIT_CRASH, RESTART_CRASH, true, ""};

    switch (status) {
    case CHILD_EXIT_PLANNED:
        v = (struct verdict){SLOT_EV_EXIT_PLANNED, RESTART_PLANNED, false, "has ended"};
        break;
    case CHILD_EXIT_DATABASE:
        v = (struct verdict){SLOT_EV_EXIT_DATABASE, RESTART_DATABASE, false,
                             "has ended because the database is away"};
        break;
    case CHILD_EXIT_CONFIG:
        v = (struct verdict){SLOT_EV_EXIT_CONFIG, RESTART_CONFIG, false,
                             "has ended because of its configuration"};
        break;
    default:
        snprintf(v.text, sizeof(v.text), "has ended with status %d", status);
    }
    return v;
}

/* Why we killed it ourselves, for the line about its death. */
static const char *const killed_because[RESTARTS] = {
    [RESTART_STALLED] = " because it had stopped answering",
    [RESTART_MEMORY] = " because it had more memory than worker.memory_max",
};

static struct verdict
judge(const struct member *member, int wait_status)
{
    struct verdict v = {SLOT_EV_EXIT_CRASH, RESTART_SIGNAL, true, ""};

    if (WIFEXITED(wait_status))
        return judge_status(WEXITSTATUS(wait_status));
    if (member->killed_for != RESTART_PLANNED)
        v.reason = member->killed_for;
    snprintf(v.text, sizeof(v.text), "was killed by signal %d (%s)%s", WTERMSIG(wait_status),
             sigabbrev_np(WTERMSIG(wait_status)) != NULL ? sigabbrev_np(WTERMSIG(wait_status))
                                                         : "?",
             killed_because[v.reason] != NULL ? killed_because[v.reason] : "");
    return v;
}

static bool
was_to_end(enum slot_state state)
{
    return state == SLOT_DRAINING || state == SLOT_STOPPING || state == SLOT_KILLED;
}

static void
log_death(const struct slot *slot, const struct verdict *v)
{
    char title[48];
    int pid = (int)slot->member->pid;

    slot_title(slot, title);
    if (v->is_crash && slot->state != SLOT_KILLED)
        log_warn("%s (pid %d) %s", title, pid, v->text);
    else
        log_info("%s (pid %d) %s", title, pid, v->text);
}

/* What it held has to be given back, unless it did so itself; asking twice does no harm. */
static void
settle(struct slot *slot, const struct verdict *v)
{
    struct supervisor *sup = slot->sup;
    struct board_roster who;
    struct board_score score = {.n_running = 0};
    int64_t inside = board_inside(sup->board, slot->member->place);

    if (board_read(sup->board, slot->member->place, &who, &score))
        report_add_score(&sup->past, &score);
    tallying_died(slot->member, &score);
    snprintf(slot->why, sizeof(slot->why), "%s%s%.100s", v->text, score.text[0] != '\0' ? ": " : "",
             score.text);
    if (slot->role != BOARD_WORKER)
        return;
    /* Jobs that ran when we ended it ourselves are not to blame. */
    if (!v->is_crash || (was_to_end(slot->state) && slot->member->killed_for == RESTART_PLANNED)) {
        score.n_running = 0;
    } else if (inside != 0) {
        /* Code of this job's handler ran in the process itself. */
        score.n_running = 1;
        score.running[0].job_id = inside;
    }
    reap_add(sup, &slot->member->process, &score, v->is_crash && inside != 0);
}

static void
leave_list(struct slot *slot)
{
    for (struct slot **at = &slot->sup->leaving; *at != NULL; at = &(*at)->next) {
        if (*at == slot) {
            *at = slot->next;
            break;
        }
    }
    ev_timer_stop(slot->sup->loop, &slot->timer);
    free(slot);
}

static void
member_ended(struct slot *slot, int wait_status)
{
    struct supervisor *sup = slot->sup;
    struct member *member = slot->member;
    struct verdict v = judge(member, wait_status);

    fault_here("death.heard");
    order_port_pump(member->port); /* what it said at last */
    log_death(slot, &v);
    settle(slot, &v);
    fault_here("death.settled");
    if (!was_to_end(slot->state))
        tallying_restarted(slot, v.reason);
    if (slot->role == BOARD_WORKER && !slot->is_leaving)
        wake_busy(&sup->wake, slot->number);
    slot_event(slot, v.event); /* looks at the member: how long it worked */
    slot->member = NULL;
    member->slot = slot;
    member_free(member);
    if (slot->is_leaving)
        leave_list(slot);
    stray_look_soon(sup);
    ending_check(sup);
}

static void
on_any_child(UNUSED struct ev_loop *loop, ev_child *w, UNUSED int events)
{
    struct supervisor *sup = w->data;
    struct slot *slot;

    for (slot = next_slot(sup, NULL); slot != NULL; slot = next_slot(sup, slot)) {
        if (slot->member != NULL && slot->member->pid == w->rpid) {
            member_ended(slot, w->rstatus);
            return;
        }
    }
    /* A guard whose worker is dead, or, for process 1, anybody's orphan. */
    stray_forget_inherited(sup, w->rpid);
    stray_look_soon(sup);
}

void
death_start(struct supervisor *sup)
{
    loop_child_init(&sup->any_child, on_any_child, 0);
    LOOP_START(sup->loop, child, &sup->any_child, sup);
}

void
death_stop_in_child(struct supervisor *sup)
{
    ev_child_stop(sup->loop, &sup->any_child);
}
