/*
 * What a dead worker left behind: the guards of its handlers, which became our
 * children (we are their subreaper) and end by themselves once they have killed
 * what is below them.  Only then may its jobs be given back: two attempts of a
 * job must not overlap.
 *
 * Whose guard it was cannot be told any more, so all strays have to be gone;
 * they are helped along after a second, and not waited for longer than two.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/tree.h"
#include "supervisor/internal.h"

#define LOOK_AGAIN_MS 20
#define KILL_AFTER_MS 1000
#define GO_ON_AFTER_MS 2000
#define INHERITED_MAX 256

/* Sends sig (0: nothing) to all strays and what is below them; returns how many live. */
static size_t
signal_strays(struct supervisor *sup, int sig)
{
    AUTO(mem) pid_t *keep = NULL;
    size_t n = list_pids(sup, &keep);

    keep = xrealloc(keep, (n + sup->n_inherited + 1) * sizeof(*keep));
    for (size_t i = 0; i < sup->n_inherited; i++)
        keep[n++] = sup->inherited[i];
    return tree_signal(sig, keep, n);
}

static void
look(struct supervisor *sup)
{
    int64_t now_ms = clock_mono_ms(), died_ms;
    size_t strays;

    if (!reap_oldest_waiting(sup, &died_ms))
        return;
    strays = signal_strays(sup, now_ms - died_ms >= KILL_AFTER_MS ? SIGKILL : 0);
    if (strays == 0) {
        reap_release(sup, now_ms);
        return;
    }
    if (now_ms - died_ms >= GO_ON_AFTER_MS) {
        log_error("%zu processes of a dead worker cannot be killed: its jobs go back all the same",
                  strays);
        reap_release(sup, now_ms - GO_ON_AFTER_MS);
    }
    loop_timer_in(sup->loop, &sup->strays, LOOK_AGAIN_MS);
}

static void
on_look_again(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    look(timer->data);
}

/* Not at once: when many die together they are all looked after in one go. */
void
stray_look_soon(struct supervisor *sup)
{
    loop_timer_in(sup->loop, &sup->strays, 0);
}

/* Strays that no death of a worker explains, such as those that we went on without. */
void
stray_tick(struct supervisor *sup)
{
    int64_t now_ms = clock_mono_ms();

    /* Process 1 of a container gets orphans that are none of our business. */
    if (getpid() == 1 || signal_strays(sup, 0) == 0) {
        sup->strays_since_mono_ms = 0;
        return;
    }
    if (sup->strays_since_mono_ms == 0)
        sup->strays_since_mono_ms = now_ms;
    if (now_ms - sup->strays_since_mono_ms >= GO_ON_AFTER_MS)
        signal_strays(sup, SIGKILL);
}

void
stray_kill_all(struct supervisor *sup)
{
    if (getpid() != 1)
        signal_strays(sup, SIGKILL);
}

void
stray_forget_inherited(struct supervisor *sup, pid_t pid)
{
    for (size_t i = 0; i < sup->n_inherited; i++) {
        if (sup->inherited[i] == pid) {
            sup->inherited[i] = sup->inherited[--sup->n_inherited];
            return;
        }
    }
}

void
stray_init(struct supervisor *sup)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        log_warn("cannot be a subreaper: what a killed worker leaves behind may live on");
    loop_timer_init(&sup->strays, on_look_again);
    sup->strays.data = sup;
    /* "something & exec pgcrewd": that is not ours to kill. */
    sup->inherited = xcalloc(INHERITED_MAX, sizeof(*sup->inherited));
    sup->n_inherited = proc_children(getpid(), sup->inherited, INHERITED_MAX);
}
