#include "program/guarded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "program/env.h"
#include "program/strays.h"

/* A guard that was told to kill gets so long before it is killed itself. */
#define GUARD_PATIENCE_MS 1000
/* One that has reported removes what was left in its folder: that may take longer. */
#define SWEEP_PATIENCE_MS 60000
/* The same for strays; then they are left to the next hunt. */
#define STRAYS_PATIENCE_MS 1000
#define HUNT_EVERY_MS 5

/* --- its end --------------------------------------------------------------------------------- */

static void
be_gone(struct guarded *g)
{
    confine_end(&g->confine, g->guard_status, g->loop);
    g->gone(g); /* g may be gone now, too */
}

/* What a dead guard left behind: the end is told when none of it is left. */
static void
hunt(struct guarded *g)
{
    bool none_left = strays_kill() == 0;

    if (g->is_abandoned && !confine_abandon(&g->confine))
        none_left = false;
    if (!none_left && clock_mono_ms() <= g->hunt_until_mono) {
        loop_timer_in(g->loop, &g->hunt, HUNT_EVERY_MS);
        return;
    }
    if (!none_left)
        log_warn("%s: processes that it left behind do not die of KILL, going on", g->name);
    be_gone(g);
}

static void
on_hunt(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    hunt(w->data);
}

static void
on_guard_end(struct ev_loop *loop, ev_child *w, int events)
{
    struct guarded *g = w->data;

    (void)events;
    ev_child_stop(loop, w);
    ev_timer_stop(loop, &g->ladder);
    strays_unspare(g->guard);
    g->guard = 0;
    g->guard_status = w->rstatus;
    g->has_report = !fault_fails("guard.gone", EIO) &&
                    read(g->report_fd, &g->report, sizeof(g->report)) == sizeof(g->report);
    close(g->report_fd);
    g->is_abandoned = !WIFEXITED(w->rstatus);
    if (g->has_report && g->report.left == 0 && !g->is_abandoned) {
        be_gone(g);
    } else {
        g->hunt_until_mono = clock_mono_ms() + STRAYS_PATIENCE_MS;
        hunt(g);
    }
}

/* --- ending it early ------------------------------------------------------------------------- */

static void
climb(struct guarded *g)
{
    static const int signals[] = {
        [GUARDED_TERM] = GUARD_SIG_TERM,
        [GUARDED_KILL] = GUARD_SIG_KILL,
        [GUARDED_GUARD] = SIGKILL,
    };
    const int64_t wait_ms[] = {
        [GUARDED_TERM] = g->grace_ms,
        [GUARDED_KILL] = GUARD_PATIENCE_MS,
    };

    g->rung++;
    fault_here("guard.told");
    kill(g->guard, signals[g->rung]);
    if (g->rung < GUARDED_GUARD)
        loop_timer_in(g->loop, &g->ladder, wait_ms[g->rung]);
}

static bool
has_reported(const struct guarded *g)
{
    struct pollfd report = {.fd = g->report_fd, .events = POLLIN};

    return poll(&report, 1, 0) == 1 && (report.revents & POLLIN) != 0;
}

static void
on_ladder(struct ev_loop *loop, ev_timer *w, int events)
{
    struct guarded *g = w->data;

    (void)events;
    if (g->rung == GUARDED_KILL && !g->is_sweeping && has_reported(g)) {
        g->is_sweeping = true;
        loop_timer_in(loop, w, SWEEP_PATIENCE_MS);
        return;
    }
    climb(g);
}

void
guarded_term(struct guarded *g)
{
    if (g->guard != 0 && g->rung == GUARDED_RUNS)
        climb(g);
}

void
guarded_kill(struct guarded *g)
{
    if (g->guard == 0 || g->rung >= GUARDED_KILL)
        return;
    g->rung = GUARDED_TERM; /* as if it had been tried */
    climb(g);
}

/* --- its start ------------------------------------------------------------------------------- */

static void
watch(struct guarded *g)
{
    strays_spare(g->guard);
    loop_child_init(&g->end, on_guard_end, g->guard);
    LOOP_START(g->loop, child, &g->end, g);
    loop_timer_init(&g->ladder, on_ladder);
    loop_timer_init(&g->hunt, on_hunt);
    g->ladder.data = g->hunt.data = g;
}

bool
guarded_start(struct guarded *g, const struct guarded_order *order, struct err *err)
{
    const struct handler_conf *handler = order->handler;
    struct guard_order how = {
        .job_id = order->job_id,
        .program = handler->program,
        .argv = handler->argv,
        .workdir = handler->workdir,
        .nice = handler->nice,
        .confine = &g->confine,
    };
    AUTO(fd) int ours = -1;
    AUTO(fd) int theirs = -1;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, ERR_RETRY, "cannot make a pipe");
    ours = ends[0];
    theirs = how.report_fd = ends[1];
    if (fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
        return err_errno(err, ERR_RETRY, "cannot set up a pipe");
    if (!confine_fill(&g->confine, handler, order->job_id, order->arena, err))
        return false;
    how.envp = env_confined(order->envp, &g->confine, order->arena);
    memcpy(how.fds, order->fds, sizeof(how.fds));
    g->guard = guard_start(&how);
    if (g->guard < 0) {
        g->guard = 0;
        err_errno(err, ERR_RETRY, "cannot fork");
        confine_end(&g->confine, 0, g->loop);
        return false;
    }
    g->report_fd = TAKE_FD(ours);
    watch(g);
    return true;
}
