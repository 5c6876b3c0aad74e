/*
 * The life of one program, from its start until it is told to end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "base/tree.h"
#include "program/env.h"
#include "serve/serve.h"

#define MEASURE_EVERY_MS 1000

bool
serve_program_has_room(const struct serve_program *p)
{
    return p->state == SERVE_READY && p->guarded.guard != 0 && p->n_jobs < p->room &&
           !serve_is_full(p);
}

static void
on_readable(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    serve_hear(w->data);
}

/* --- signs of life ----------------------------------------------------------------------- */

static void
ask_for_sign(struct serve_program *p)
{
    p->beat_asked = true;
    serve_put_heartbeat(&p->out, ++p->beat_number);
    loop_timer_in(p->pool->loop, &p->life, p->pool->handler->answer_ms);
    serve_pool_turn_soon(p->pool);
}

static void
on_life(struct ev_loop *loop, ev_timer *w, int events)
{
    struct serve_program *p = w->data;
    char within[32];

    (void)loop;
    (void)events;
    /* When this process was held up, the answer may lie there already. */
    serve_hear_all(p);
    if (p->state >= SERVE_ENDING || p->sock < 0 || loop_timer_runs(w))
        return;
    text_from_ms(within, p->pool->handler->answer_ms);
    if (p->ready_mono == 0)
        serve_program_kill(p, SERVE_SILENT, "did not say hello within %s", within);
    else if (p->beat_asked)
        serve_program_kill(p, SERVE_SILENT, "has stopped answering: no heartbeat within %s",
                           within);
    else if (p->heartbeat)
        ask_for_sign(p);
}

void
serve_program_answered(struct serve_program *p)
{
    p->beat_asked = false;
    loop_timer_in(p->pool->loop, &p->life, p->pool->handler->answer_ms / 2);
}

void
serve_program_said_hello(struct serve_program *p)
{
    const struct handler_conf *handler = p->pool->handler;
    struct ev_loop *loop = p->pool->loop;

    if (p->state >= SERVE_ENDING)
        return;
    ev_timer_stop(loop, &p->life);
    if (p->heartbeat)
        loop_timer_in(loop, &p->life, handler->answer_ms / 2);
    if (handler->recycle_age_ms > 0)
        loop_timer_in(loop, &p->age, handler->recycle_age_ms);
}

/* --- leaving ----------------------------------------------------------------------------- */

void
serve_program_drain(struct serve_program *p, const char *why)
{
    if (p->state >= SERVE_ENDING || p->drained)
        return;
    if (why != NULL)
        log_info("%s: %s, another takes its place when there are jobs", p->name, why);
    p->state = SERVE_LEAVING;
    p->drained = true;
    serve_put_drain(&p->out);
    if (p->n_jobs == 0)
        loop_timer_in(p->pool->loop, &p->leave, p->pool->conf->grace_ms);
    serve_pool_turn_soon(p->pool);
}

void
serve_program_closed(struct serve_program *p)
{
    struct ev_loop *loop = p->pool->loop;

    ev_io_stop(loop, &p->readable);
    ev_io_stop(loop, &p->writable);
    ev_timer_stop(loop, &p->life);
    ev_timer_stop(loop, &p->stall);
    close(p->sock);
    p->sock = -1;
    /* Usually it has ended, which we hear of in a moment. */
    if (p->state < SERVE_ENDING) {
        p->state = SERVE_LEAVING;
        loop_timer_in(loop, &p->leave, p->pool->handler->answer_ms);
    }
}

void
serve_program_close(struct serve_program *p)
{
    if (p->state < SERVE_ENDING) {
        p->state = SERVE_LEAVING;
        p->drained = true;
        serve_put_quit(&p->out);
    }
    serve_write(p);
    ev_timer_stop(p->pool->loop, &p->life);
    if (p->sock >= 0 && p->out.len == 0)
        shutdown(p->sock, SHUT_WR);
}

static void
on_leave(struct ev_loop *loop, ev_timer *w, int events)
{
    struct serve_program *p = w->data;

    (void)loop;
    (void)events;
    if (p->n_jobs > 0 || !p->drained) {
        serve_program_kill(p, SERVE_SILENT, "closed its socket and did not end");
        return;
    }
    snprintf(p->why, sizeof(p->why), "was stopped: it did not end when it was drained");
    p->state = SERVE_ENDING;
    p->fault = SERVE_SACRIFICED;
    guarded_term(&p->guarded);
}

static void
measure(struct serve_program *p)
{
    size_t max = p->pool->handler->recycle_memory;
    int64_t used, now = clock_mono_ms();
    char why[100], size[32];

    if (now - p->measured_mono < MEASURE_EVERY_MS && p->measured_mono != 0) {
        if (!loop_timer_runs(&p->measure))
            loop_timer_in(p->pool->loop, &p->measure, p->measured_mono + MEASURE_EVERY_MS - now);
        return;
    }
    p->measured_mono = now;
    used = tree_rss_bytes(p->guarded.guard);
    if (used <= (int64_t)max)
        return;
    snprintf(why, sizeof(why), "drained because it uses %s of memory", text_from_bytes(size, used));
    serve_program_drain(p, why);
}

static void
on_measure(struct ev_loop *loop, ev_timer *w, int events)
{
    struct serve_program *p = w->data;

    (void)loop;
    (void)events;
    if (p->state == SERVE_READY)
        measure(p);
}

static void
on_age(struct ev_loop *loop, ev_timer *w, int events)
{
    struct serve_program *p = w->data;

    (void)loop;
    (void)events;
    if (p->state == SERVE_READY)
        serve_program_drain(p, "drained because of its age");
}

void
serve_program_look(struct serve_program *p)
{
    if (p->state == SERVE_READY && p->pool->handler->recycle_memory > 0)
        measure(p);
    else if (p->state == SERVE_LEAVING && p->n_jobs == 0 && !loop_timer_runs(&p->leave))
        loop_timer_in(p->pool->loop, &p->leave, p->pool->conf->grace_ms);
    serve_pool_turn_soon(p->pool);
}

/* --- killing ----------------------------------------------------------------------------- */

void
serve_program_kill(struct serve_program *p, enum serve_fault fault, const char *format, ...)
{
    char text[sizeof(p->why)];
    va_list args;

    if (p->state == SERVE_ENDING || p->fault != SERVE_NO_FAULT)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_printable(p->why, sizeof(p->why), text, strlen(text));
    p->fault = fault;
    if (p->state == SERVE_GONE)
        return; /* it was the rest of what it said */
    p->state = SERVE_ENDING;
    ev_io_stop(p->pool->loop, &p->readable);
    ev_io_stop(p->pool->loop, &p->writable);
    guarded_kill(&p->guarded);
}

/* --- its start --------------------------------------------------------------------------- */

enum { ENDS_NULL, ENDS_OUT, ENDS_ERR, ENDS_SOCK, N_ENDS }; /* descriptors 0..3 of the program */

struct ends {
    int ours[N_ENDS], theirs[N_ENDS];
};

static void
auto_ends(struct ends *e)
{
    for (int i = 0; i < N_ENDS; i++) {
        auto_fd(&e->ours[i]);
        auto_fd(&e->theirs[i]);
    }
}

static bool
make_ends(struct ends *ret, struct err *err)
{
    int ends[2];

    ret->theirs[ENDS_NULL] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (ret->theirs[ENDS_NULL] < 0)
        return err_errno(err, ERR_RETRY, "cannot open /dev/null");
    for (int i = ENDS_OUT; i < N_ENDS; i++) {
        if (i == ENDS_SOCK ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0
                           : pipe2(ends, O_CLOEXEC) < 0)
            return err_errno(err, ERR_RETRY, "cannot make pipes and sockets");
        ret->ours[i] = ends[0];
        ret->theirs[i] = ends[1];
        /* Only our end: the program shall not meet EAGAIN. */
        if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
            return err_errno(err, ERR_RETRY, "cannot set up a pipe");
    }
    return true;
}

static void
on_guarded_gone(struct guarded *g)
{
    serve_program_gone(g->owner);
}

static bool
start_guard(struct serve_program *p, const struct ends *ends, struct err *err)
{
    const struct handler_conf *handler = p->pool->handler;
    struct guarded_order order = {
        .handler = handler, .envp = env_of_program(handler, &p->arena), .arena = &p->arena};

    for (int i = 0; i < N_ENDS; i++)
        order.fds[i] = ends->theirs[i];
    p->guarded = (struct guarded){.loop = p->pool->loop,
                                  .grace_ms = p->pool->conf->grace_ms,
                                  .name = p->name,
                                  .gone = on_guarded_gone,
                                  .owner = p};
    return guarded_start(&p->guarded, &order, err);
}

static struct serve_program *
program_new(struct serve_pool *pool)
{
    struct serve_program *p = xcalloc(1, sizeof(*p));
    const struct conf *conf = pool->conf;

    p->pool = pool;
    p->sock = p->streams[0].fd = p->streams[1].fd = -1;
    arena_init(&p->arena);
    TAILQ_INIT(&p->jobs);
    p->name = arena_printf(&p->arena, "program %d (%s)", ++pool->n_started, pool->handler->kind);
    complaint_init(&p->complaint, NULL, p->name, conf->log_line_max, conf->stderr_tail, &p->arena);
    return p;
}

static void
watch(struct serve_program *p, struct ends *ends)
{
    struct ev_loop *loop = p->pool->loop;

    p->sock = TAKE_FD(ends->ours[ENDS_SOCK]);
    loop_io_init(&p->readable, on_readable, p->sock, EV_READ);
    LOOP_START(loop, io, &p->readable, p);
    serve_write_init(p);
    serve_hear_stream(p, 0, TAKE_FD(ends->ours[ENDS_OUT]));
    serve_hear_stream(p, 1, TAKE_FD(ends->ours[ENDS_ERR]));
    loop_timer_init(&p->life, on_life);
    loop_timer_init(&p->leave, on_leave);
    loop_timer_init(&p->age, on_age);
    loop_timer_init(&p->measure, on_measure);
    p->life.data = p->leave.data = p->age.data = p->measure.data = p;
    loop_timer_in(loop, &p->life, p->pool->handler->answer_ms);
}

bool
serve_program_start(struct serve_pool *pool, struct err *err)
{
    AUTO(ends) struct ends ends = {{-1, -1, -1, -1}, {-1, -1, -1, -1}};
    const struct handler_conf *handler = pool->handler;
    struct serve_program *p;

    if (fault_fails("serve.starts", EMFILE))
        return err_errno(err, ERR_RETRY, "cannot make pipes and sockets");
    if (!make_ends(&ends, err))
        return false;
    p = program_new(pool);
    if (!start_guard(p, &ends, err)) {
        serve_program_free(p);
        return false;
    }
    watch(p, &ends);
    serve_put_hello(&p->out, &(struct serve_terms){.kind = handler->kind,
                                                   .in_flight = handler->in_flight,
                                                   .payload_max = pool->conf->payload_max,
                                                   .result_max = pool->conf->result_max});
    TAILQ_INSERT_TAIL(&pool->programs, p, link);
    log_debug("%s: starts", p->name);
    return true;
}

void
serve_program_free(struct serve_program *p)
{
    complaint_release(&p->complaint);
    buf_release(&p->in);
    buf_release(&p->out);
    arena_release(&p->arena);
    free(p);
}
