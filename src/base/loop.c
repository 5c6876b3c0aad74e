#include "base/loop.h"

#pragma GCC diagnostic ignored "-Wstrict-aliasing"
#pragma GCC diagnostic ignored "-Wcast-qual"

struct ev_loop *
loop_get(void)
{
    return ev_default_loop(EVFLAG_AUTO);
}

struct ev_loop *
loop_after_fork(void)
{
    /* The parent's epoll set is shared until this process lets go of it. */
    ev_loop_destroy(ev_default_loop(EVFLAG_AUTO));
    return ev_default_loop(EVFLAG_AUTO);
}

void
loop_io_init(ev_io *w, void (*cb)(struct ev_loop *, ev_io *, int), int fd, int events)
{
    ev_io_init(w, cb, fd, events);
}

void
loop_timer_init(ev_timer *w, void (*cb)(struct ev_loop *, ev_timer *, int))
{
    ev_timer_init(w, cb, 0., 0.);
}

void
loop_child_init(ev_child *w, void (*cb)(struct ev_loop *, ev_child *, int), int pid)
{
    ev_child_init(w, cb, pid, 0);
}

void
loop_prepare_init(ev_prepare *w, void (*cb)(struct ev_loop *, ev_prepare *, int))
{
    ev_prepare_init(w, cb);
}

void
loop_signal_init(ev_signal *w, void (*cb)(struct ev_loop *, ev_signal *, int), int signum)
{
    ev_signal_init(w, cb, signum);
}

void
loop_timer_in(struct ev_loop *loop, ev_timer *w, int64_t ms)
{
    /* The loop's idea of now may be old when the last turn took long. */
    ev_now_update(loop);
    ev_timer_stop(loop, w);
    w->at = (double)ms / 1000.;
    w->repeat = 0.;
    ev_timer_start(loop, w);
}

bool
loop_timer_runs(const ev_timer *w)
{
    return w->active != 0;
}
