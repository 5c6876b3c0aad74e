/*
 * The server: libmicrohttpd on our loop.
 *
 * It has an epoll of its own, which our loop watches, and neither threads nor listeners.
 */
#include "web/web.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/internal.h"

#if LIBRARY_CAN_BE_STRICT
#define STRICTLY MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1,
#else
#define STRICTLY
#endif

/* What it may do before others have their turn. */
#define RUNS_AT_ONCE 8
/* Of a connection's memory, besides request line and headers: what libmicrohttpd notes of
 * each header, and the headers of the answer. */
#define NOTES_BYTES 8192

void
web_count_answer(struct web *w, const struct web_request *r, int status)
{
    const struct web_route *route = r != NULL ? r->match.route : NULL;
    size_t at = (size_t)status;
    int64_t us = -1;

    if (status < 100 || at >= LENGTH(w->counts.answers))
        return;
    w->counts.answers[at]++;
    if (r != NULL && r->whole_mono_ns > 0 && r->stream == NULL)
        us = (clock_mono_ns() - r->whole_mono_ns) / 1000;
    if (w->options.answered != NULL)
        w->options.answered(route != NULL ? route->pattern : NULL, status, us, w->options.owner);
}

void
web_count(const struct web *w, struct web_counts *ret)
{
    *ret = w->counts;
}

/* --- turning ----------------------------------------------------------------------- */

/* When it wants to be run again, in ms; -1: not until something happens. */
static int64_t
next_run_ms(struct web *w)
{
    MHD_UNSIGNED_LONG_LONG ms;

    return MHD_get_timeout(w->mhd, &ms) == MHD_YES ? (int64_t)ms : -1;
}

static void
run(struct web *w)
{
    int64_t wait_ms;
    int runs = 0;

    ev_timer_stop(w->loop, &w->again);
    w->is_running = true;
    do
        MHD_run(w->mhd);
    while (next_run_ms(w) == 0 && ++runs < RUNS_AT_ONCE);
    w->is_running = false;
    wait_ms = next_run_ms(w);
    if (wait_ms >= 0)
        loop_timer_in(w->loop, &w->again, wait_ms);
    web_settle(w);
}

static void
on_ready(UNUSED struct ev_loop *loop, ev_io *io, UNUSED int events)
{
    run(io->data);
}

static void
on_again(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    run(timer->data);
}

void
web_kick(struct web *w)
{
    loop_timer_in(w->loop, &w->again, 0);
}

void
web_settle(struct web *w)
{
    if (w->is_running)
        return;
    if (!w->is_draining && !w->is_accepting && !web_is_full(w) && !loop_timer_runs(&w->pause))
        listeners_start(w);
    if (w->is_draining && w->counts.open == 0 && !w->has_ended) {
        w->has_ended = true;
        w->ended(w->options.owner);
    }
}

/* --- beginning and end --------------------------------------------------------------- */

/* Names and values are decoded by target.c: here nothing is touched. */
static size_t
leave_escaped(UNUSED void *cls, UNUSED struct MHD_Connection *mhd, char *text)
{
    return strlen(text);
}

static bool
start_library(struct web *w, struct err *err)
{
    const unsigned flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    const union MHD_DaemonInfo *info;

    /* clang-format off */
    w->mhd = MHD_start_daemon(flags, 0, NULL, NULL, on_request, w, STRICTLY
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, w->options.header_max + NOTES_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)w->options.connections_max * 2,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, w,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, w,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, w,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
        MHD_OPTION_END);
    /* clang-format on */
    if (w->mhd == NULL)
        return err_errno(err, ERR_RETRY, "cannot start libmicrohttpd");
    info = MHD_get_daemon_info(w->mhd, MHD_DAEMON_INFO_EPOLL_FD);
    loop_io_init(&w->ready, on_ready, info->epoll_fd, EV_READ);
    loop_timer_init(&w->again, on_again);
    w->again.data = w;
    LOOP_START(w->loop, io, &w->ready, w);
    return true;
}

bool
web_new(struct ev_loop *loop, const struct web_options *options, struct web **ret, struct err *err)
{
    struct web *w = xcalloc(1, sizeof(*w));

    w->loop = loop;
    w->options = *options;
    if (!listeners_init(w, err) || !start_library(w, err)) {
        free(w->listeners);
        free(w);
        return false;
    }
    w->options.fds = NULL;
    listeners_start(w);
    *ret = w;
    return true;
}

void
web_drain(struct web *w, void (*ended)(void *owner))
{
    struct web_stream *s, *next_stream;

    w->is_draining = true;
    w->ended = ended;
    listeners_close(w);
    for (s = w->streams; s != NULL; s = next_stream) {
        next_stream = stream_next(s);
        stream_drain(s);
    }
    /* One that is quiet for a short while has perhaps sent a request just now: see look(). */
    for (struct conn *c = w->conns; c != NULL; c = c->next) {
        if (c->state == CONN_WATCHED)
            conn_cut(c, 0);
    }
    web_settle(w);
}

/* Nobody is called back by libmicrohttpd for what it ends now but for its own clearing up. */
void
web_free(struct web *w)
{
    if (w == NULL)
        return;
    w->is_freed = true;
    listeners_close(w);
    while (w->streams != NULL)
        stream_abort(w->streams);
    for (struct web_request *r = w->requests; r != NULL; r = r->next) {
        if (r->is_suspended)
            MHD_resume_connection(r->mhd);
    }
    linger_end(w);
    ev_io_stop(w->loop, &w->ready);
    MHD_stop_daemon(w->mhd);
    ev_timer_stop(w->loop, &w->again);
    for (struct web_request *r = w->requests; r != NULL; r = r->next)
        r->web = NULL;
    free(w);
}
