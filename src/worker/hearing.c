/*
 * What others want of this worker: orders of the supervisor, signals of a person.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "worker/internal.h"

void
hearing_tell_idle(struct worker *w, bool idle)
{
    if (w->idle == idle)
        return;
    w->idle = idle;
    order_say(w->port, idle ? ORDER_IDLE : ORDER_BUSY);
}

static void
on_wake(struct worker *w, const struct order *order)
{
    (void)order;
    lanes_want(w);
    LANE_FOREACH(lane, w)
    lane->marks.short_last = true; /* sweep: what woke us may lie below our marks */
}

static void
on_drain(struct worker *w, const struct order *order)
{
    (void)order;
    worker_drain(w, "draining");
}

static void
on_stop(struct worker *w, const struct order *order)
{
    on_drain(w, order);
    w->ending = ENDING_STOP;
    running_stop_all(w);
}

static void
on_cancel(struct worker *w, const struct order *order)
{
    for (uint32_t i = 0; i < order->n_ids && i < ORDER_IDS; i++)
        running_cancel(w, order->ids[i]);
}

static void
on_fenced(struct worker *w, const struct order *order)
{
    (void)order;
    holding_lost(w, "this worker's lease is gone");
}

static const struct {
    enum order_what what;
    void (*act)(struct worker *w, const struct order *order);
} answers[] = {
    {ORDER_WAKE, on_wake},     {ORDER_DRAIN, on_drain},   {ORDER_STOP, on_stop},
    {ORDER_CANCEL, on_cancel}, {ORDER_FENCED, on_fenced},
};

static void
on_order(void *owner, const struct order *order)
{
    struct worker *w = owner;

    w->score.heard++;
    for (size_t i = 0; i < LENGTH(answers); i++) {
        if (answers[i].what == order->what)
            answers[i].act(w, order);
    }
    worker_turn_soon(w);
}

static void
on_supervisor_gone(void *owner)
{
    (void)owner;
    /* Guards see our end and kill their trees; the next supervisor gives the jobs back. */
    log_warn("the supervisor is gone: ending at once");
    _exit(CHILD_EXIT_PLANNED);
}

static void
on_term(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct worker *w = signal->data;

    (void)loop;
    (void)events;
    on_drain(w, NULL);
    worker_turn_soon(w);
}

static void
on_quit(struct ev_loop *loop, ev_signal *signal, int events)
{
    struct worker *w = signal->data;

    (void)loop;
    (void)events;
    on_stop(w, NULL);
    worker_turn_soon(w);
}

void
hearing_start(struct worker *w)
{
    w->port = order_port_new(w->loop, w->child->order_fd, on_order, on_supervisor_gone, w);
    loop_signal_init(&w->term, on_term, SIGTERM);
    LOOP_START(w->loop, signal, &w->term, w);
    loop_signal_init(&w->interrupt, on_quit, SIGINT);
    LOOP_START(w->loop, signal, &w->interrupt, w);
    loop_signal_init(&w->quit, on_quit, SIGQUIT);
    LOOP_START(w->loop, signal, &w->quit, w);
}
