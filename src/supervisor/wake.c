#include "supervisor/wake.h"

#include <stdlib.h>
#include <string.h>

/* To the back of the line: it stays idle until it says otherwise. */
static bool
wake_first(struct wake *w)
{
    int worker;

    if (w->n_idle == 0)
        return false;
    worker = w->idle[0];
    memmove(w->idle, w->idle + 1, (w->n_idle - 1) * sizeof(*w->idle));
    w->idle[w->n_idle - 1] = worker;
    w->send(w->owner, worker);
    return true;
}

void
wake_one(struct wake *w)
{
    if (!wake_first(w))
        w->is_remembered = true;
}

void
wake_news(struct wake *w)
{
    wake_one(w);
    loop_timer_in(w->loop, &w->again, WAKE_AGAIN_MS);
}

static bool
find(const struct wake *w, int worker, size_t *ret)
{
    for (size_t i = 0; i < w->n_idle; i++) {
        if (w->idle[i] == worker) {
            *ret = i;
            return true;
        }
    }
    return false;
}

void
wake_idle(struct wake *w, int worker)
{
    size_t at;

    if (!find(w, worker, &at)) {
        if (w->n_idle == w->room) {
            w->room = w->room > 0 ? w->room * 2 : 16;
            w->idle = xrealloc(w->idle, w->room * sizeof(*w->idle));
        }
        w->idle[w->n_idle++] = worker;
    }
    if (w->is_remembered) {
        w->is_remembered = false;
        w->send(w->owner, worker);
    }
}

void
wake_busy(struct wake *w, int worker)
{
    size_t at;

    if (!find(w, worker, &at))
        return;
    w->n_idle--;
    memmove(w->idle + at, w->idle + at + 1, (w->n_idle - at) * sizeof(*w->idle));
}

static void
on_again(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    wake_one(timer->data);
}

/* Not remembered: who is busy looks again anyway when it has done its work. */
static void
on_poll(struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct wake *w = timer->data;

    wake_first(w);
    loop_timer_in(loop, timer, w->poll_ms);
}

void
wake_looked(struct wake *w, bool something_waits)
{
    if (something_waits)
        wake_first(w);
    /* Half an interval is what the janitor's next answer may be late. */
    loop_timer_in(w->loop, &w->poll, w->poll_ms + w->poll_ms / 2);
}

void
wake_init(struct wake *w, struct ev_loop *loop, int64_t poll_ms,
          void (*send)(void *owner, int worker), void *owner)
{
    *w = (struct wake){.loop = loop, .send = send, .owner = owner};
    loop_timer_init(&w->again, on_again);
    loop_timer_init(&w->poll, on_poll);
    w->again.data = w->poll.data = w;
    wake_set_poll(w, poll_ms);
}

void
wake_set_poll(struct wake *w, int64_t poll_ms)
{
    w->poll_ms = poll_ms;
    loop_timer_in(w->loop, &w->poll, poll_ms);
}

void
wake_release(struct wake *w)
{
    ev_timer_stop(w->loop, &w->again);
    ev_timer_stop(w->loop, &w->poll);
    free(w->idle);
    w->idle = NULL;
    w->n_idle = w->room = 0;
}

size_t
wake_n_idle(const struct wake *w)
{
    return w->n_idle;
}
