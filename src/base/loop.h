/*
 * libev, with the warnings of its header kept out of ours.
 *
 * Every process has exactly one loop, the default one: only that one can watch
 * children.  After a fork the child calls loop_after_fork() before anything else.
 */
#ifndef PGCREW_BASE_LOOP_H
#define PGCREW_BASE_LOOP_H

#include "base/base.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstrict-aliasing"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <ev.h>
#pragma GCC diagnostic pop

/* The loop of this process; made at the first call. */
struct ev_loop *loop_get(void);
/* Destroy the loop inherited from the parent and make a new one. */
struct ev_loop *loop_after_fork(void);

/* Watchers carry their owner in data; these set it and start the watcher. */
#define LOOP_START(loop, kind, watcher, owner)                                                     \
    do {                                                                                           \
        (watcher)->data = (owner);                                                                 \
        ev_##kind##_start((loop), (watcher));                                                      \
    } while (0)

/* ev_io_init and its sisters trip -Wstrict-aliasing inside libev's macros: use these. */
void loop_io_init(ev_io *w, void (*cb)(struct ev_loop *, ev_io *, int), int fd, int events);
void loop_timer_init(ev_timer *w, void (*cb)(struct ev_loop *, ev_timer *, int));
void loop_child_init(ev_child *w, void (*cb)(struct ev_loop *, ev_child *, int), int pid);
/* Before the loop waits: what its callbacks have noted is done then, all at once. */
void loop_prepare_init(ev_prepare *w, void (*cb)(struct ev_loop *, ev_prepare *, int));
void loop_signal_init(ev_signal *w, void (*cb)(struct ev_loop *, ev_signal *, int), int signum);
/* (Re)start a one-shot timer; 0 ms fires in the next turn. */
void loop_timer_in(struct ev_loop *loop, ev_timer *w, int64_t ms);
/* It will fire.  ev_is_active() wants a timer that is not const. */
bool loop_timer_runs(const ev_timer *w);

#endif
