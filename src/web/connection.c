/*
 * The times of a connection.
 *
 * A request has request_ms to arrive, from its first byte; without one a connection is closed
 * after idle_ms.  libmicrohttpd reads the first byte and tells nobody, and watching each
 * connection besides it would cost two system calls a request.  So a connection that has been
 * quiet for a moment is looked at: has the kernel received more than whole requests, then the
 * rest is awaited; else it is watched until something comes.  (Of a Unix socket the kernel
 * counts nothing: there the clock starts with what comes after the moment.)
 *
 * Alarms are lazy: one that comes too early is set anew, so that a busy connection costs
 * nothing.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/internal.h"

#define LOOK_MS 1000

static int64_t
look_ms(const struct web *w)
{
    int64_t ms = LOOK_MS;

    if (w->options.request_ms / 2 < ms)
        ms = w->options.request_ms / 2;
    if (w->options.idle_ms / 2 < ms)
        ms = w->options.idle_ms / 2;
    return ms;
}

static void
set_alarm(struct conn *c)
{
    int64_t now_ms = clock_mono_ms(), at_ms = c->look_mono_ms;

    if (c->deadline_mono_ms < at_ms)
        at_ms = c->deadline_mono_ms;
    if (at_ms == INT64_MAX || (loop_timer_runs(&c->alarm) && c->alarm_mono_ms <= at_ms))
        return;
    c->alarm_mono_ms = at_ms;
    loop_timer_in(c->web->loop, &c->alarm, at_ms > now_ms ? at_ms - now_ms : 0);
}

/* since: when that began. */
static void
go(struct conn *c, enum conn_state state, int64_t since_mono_ms, int64_t ms)
{
    if (c->state == CONN_CUT)
        return;
    if (c->state == CONN_WATCHED)
        ev_io_stop(c->web->loop, &c->first_byte);
    c->state = state;
    c->since_mono_ms = since_mono_ms;
    c->deadline_mono_ms = ms > 0 ? since_mono_ms + ms : INT64_MAX;
    c->look_mono_ms = state == CONN_QUIET || state == CONN_ARRIVING
                          ? clock_mono_ms() + look_ms(c->web)
                          : INT64_MAX;
    set_alarm(c);
}

void
conn_go(struct conn *c, enum conn_state state, int64_t ms)
{
    go(c, state, clock_mono_ms(), ms);
}

/* --- looking ----------------------------------------------------------------------- */

/* False: it does not know what is at this offset, as it never does of Unix sockets. */
static bool
ask_kernel(const struct conn *c, size_t offset, struct tcp_info *ret)
{
    socklen_t len = sizeof(*ret);

    return c->address.ss_family != AF_UNIX &&
           getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, ret, &len) == 0 && len > offset;
}

/* Is there more than whole requests?  False also when nobody knows. */
static bool
has_a_part(const struct conn *c)
{
    struct tcp_info info;

    return ask_kernel(c, offsetof(struct tcp_info, tcpi_bytes_received), &info) &&
           info.tcpi_bytes_received > c->bytes;
}

/* The client will say no more, and libmicrohttpd, which reads by edges, may have missed it. */
static bool
has_left(const struct conn *c)
{
    char byte;

    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void
on_first_byte(UNUSED struct ev_loop *loop, ev_io *io, UNUSED int events)
{
    struct conn *c = io->data;
    struct web *w = c->web;

    if (has_left(c))
        conn_cut(c, 0);
    else
        conn_go(c, CONN_ARRIVING, w->options.request_ms);
    web_settle(w);
}

static void
look(struct conn *c)
{
    const struct web_options *o = &c->web->options;
    bool has_begun = c->state == CONN_ARRIVING || has_a_part(c);

    if (has_left(c) || (c->web->is_draining && !has_begun)) {
        conn_cut(c, 0);
    } else if (has_begun) {
        go(c, CONN_ARRIVING, c->since_mono_ms, o->request_ms);
    } else {
        go(c, CONN_WATCHED, c->since_mono_ms, o->idle_ms);
        ev_io_start(c->web->loop, &c->first_byte);
    }
}

static void
on_alarm(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct conn *c = timer->data;
    struct web *w = c->web;
    int64_t now_ms = clock_mono_ms();

    if (now_ms >= c->deadline_mono_ms)
        conn_cut(c, c->state == CONN_ARRIVING ? 408 : 0);
    else if (now_ms >= c->look_mono_ms)
        look(c);
    else
        set_alarm(c);
    web_settle(w);
}

/* --- beginning and end --------------------------------------------------------------- */

struct conn *
conn_new(struct web *w, int fd, const struct sockaddr_storage *address, struct peer *peer)
{
    struct conn *c = xcalloc(1, sizeof(*c));

    c->web = w;
    c->fd = fd;
    c->address = *address;
    c->peer = peer;
    c->next = w->conns;
    if (c->next != NULL)
        c->next->prev = c;
    w->conns = c;
    w->counts.open++;
    loop_timer_init(&c->alarm, on_alarm);
    c->alarm.data = c;
    loop_io_init(&c->first_byte, on_first_byte, fd, EV_READ);
    c->first_byte.data = c;
    conn_go(c, CONN_QUIET, 0);
    return c;
}

void
conn_free(struct conn *c)
{
    struct web *w = c->web;

    ev_timer_stop(w->loop, &c->alarm);
    ev_io_stop(w->loop, &c->first_byte);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        w->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    w->counts.open--;
    peer_drop(w, c->peer);
    free(c);
}

struct conn *
conn_of(struct MHD_Connection *mhd)
{
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void
send_refusal(struct web *w, int fd, int status, const char *message)
{
    char text[512], body[256];
    int len = snprintf(body, sizeof(body),
                       "{\"code\":\"%d\",\"message\":\"%s\",\"details\":null,\"hint\":null}",
                       status, message);

    len = snprintf(text, sizeof(text),
                   "HTTP/1.1 %d %s\r\nConnection: close\r\n"
                   "Content-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s",
                   status, MHD_get_reason_phrase_for((unsigned)status), len, body);
    web_count_answer(w, NULL, status);
    if (send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return; /* a client that takes nothing misses nothing */
}

/*
 * libmicrohttpd closes without a word where it does not find a request line.  On a connection
 * where it has said nothing before, we know that.
 */
static void
say_why(struct conn *c)
{
    struct tcp_info info;
    char byte;
    ssize_t n;

    if (c->state > CONN_ARRIVING || c->web->is_freed ||
        !ask_kernel(c, offsetof(struct tcp_info, tcpi_bytes_sent), &info) ||
        info.tcpi_bytes_sent > 0)
        return;
    n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n > 0 || (n < 0 && errno == EAGAIN)) /* else the client has left */
        send_refusal(c->web, c->fd, 400, "this is no request");
}

void
on_connection(void *cls, struct MHD_Connection *mhd, void **context,
              enum MHD_ConnectionNotificationCode code)
{
    struct web *w = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = w->arriving;
        w->arriving->mhd = mhd;
        w->arriving = NULL;
    } else if (*context != NULL) {
        say_why(*context);
        if (((struct conn *)*context)->lingers)
            linger(w, ((struct conn *)*context)->fd);
        conn_free(*context);
        *context = NULL;
    }
}

void
conn_cut(struct conn *c, int status)
{
    if (c->state == CONN_CUT)
        return;
    if (status != 0)
        send_refusal(c->web, c->fd, status, "the request did not arrive in time");
    conn_go(c, CONN_CUT, 0);
    /* libmicrohttpd sees the end and closes; in case that it does not, it has a time, too. */
    shutdown(c->fd, SHUT_RDWR);
    MHD_set_connection_option(c->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 1U);
    web_kick(c->web);
}
