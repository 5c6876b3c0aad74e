/*
 * What a program is to hear, written as fast as it reads.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/text.h"
#include "serve/serve.h"

/* More than this is not kept between writes. */
#define KEPT_BYTES ((size_t)1024 * 1024)
/* So much may wait to be written even if payloads are small. */
#define FULL_BYTES_MIN ((size_t)64 * 1024)

/* With so much unwritten one more payload makes twice limits.payload: that is the most. */
bool
serve_is_full(const struct serve_program *p)
{
    size_t max = p->pool->conf->payload_max;

    return p->out.len - p->out_done >= (max > FULL_BYTES_MIN ? max : FULL_BYTES_MIN);
}

static void
forget_written(struct serve_program *p)
{
    if (p->out_done == p->out.len) {
        buf_clear(&p->out);
        p->out_done = 0;
        if (p->out.room > KEPT_BYTES)
            buf_release(&p->out);
    } else if (p->out_done > p->out.len / 2) {
        buf_drop_front(&p->out, p->out_done);
        p->out_done = 0;
    }
}

/* A full buffer has to get emptier within the time that an answer may take. */
static void
watch_writing(struct serve_program *p, bool moved)
{
    struct ev_loop *loop = p->pool->loop;

    if (p->out.len > 0)
        ev_io_start(loop, &p->writable);
    else
        ev_io_stop(loop, &p->writable);
    if (!serve_is_full(p))
        ev_timer_stop(loop, &p->stall);
    else if (moved || !loop_timer_runs(&p->stall))
        loop_timer_in(loop, &p->stall, p->pool->handler->answer_ms);
}

void
serve_write(struct serve_program *p)
{
    ssize_t n;

    if (p->sock < 0 || p->out.len == 0 || p->state >= SERVE_ENDING)
        return;
    n = fault_fails("serve.sends", EPIPE)
            ? -1
            : send(p->sock, p->out.data + p->out_done, p->out.len - p->out_done,
                   MSG_NOSIGNAL | MSG_DONTWAIT);
    fault_here("serve.sent");
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        /* It does not listen any more.  What it still says is read, up to the end of it. */
        buf_clear(&p->out);
        p->out_done = 0;
    } else if (n > 0) {
        p->out_done += (size_t)n;
        forget_written(p);
    }
    watch_writing(p, n > 0);
}

static void
on_writable(struct ev_loop *loop, ev_io *w, int events)
{
    struct serve_program *p = w->data;

    (void)loop;
    (void)events;
    serve_write(p);
    serve_pool_turn_soon(p->pool); /* there may be room for a job now */
}

static void
on_stall(struct ev_loop *loop, ev_timer *w, int events)
{
    struct serve_program *p = w->data;
    char within[32];

    (void)loop;
    (void)events;
    serve_program_kill(p, SERVE_SILENT, "has stopped reading its socket: nothing for %s",
                       text_from_ms(within, p->pool->handler->answer_ms));
}

void
serve_write_init(struct serve_program *p)
{
    loop_io_init(&p->writable, on_writable, p->sock, EV_WRITE);
    loop_timer_init(&p->stall, on_stall);
    p->writable.data = p->stall.data = p;
}
