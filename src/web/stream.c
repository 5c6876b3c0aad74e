/*
 * Answers without an end.
 *
 * A stream takes the socket away from libmicrohttpd: it has a copy of the descriptor, and
 * libmicrohttpd closes its own without a word (MHD_USE_TURBO: it does not shut down what it
 * closes).  So a stream that is idle costs its socket and a few hundred bytes, and resuming a
 * request does not look through thousands of suspended ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/internal.h"

#define READ_BYTES 4096
/* What the kernel keeps for a client that takes nothing. */
#define SEND_BUFFER 65536
/* When a stream ends, its client has so long to take the rest. */
#define LAST_MS 5000

struct web_stream {
    struct web_stream *prev, *next;
    struct web *web; /* NULL: its client was gone before it began */
    struct ev_loop *loop;
    struct web_request *request;
    struct peer *peer;
    int fd;
    bool is_chunked, is_bodiless;
    bool is_ending; /* closes when all is sent */
    bool is_over;   /* closes in the next turn */
    void (*gone)(void *arg);
    void *arg;
    ev_io readable, writable;
    ev_timer patience;
    struct buf out;
    size_t sent;
};

/* --- end ----------------------------------------------------------------------------- */

static void
leave_server(struct web_stream *s)
{
    struct web *w = s->web;

    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        w->streams = s->next;
    if (s->next != NULL)
        s->next->prev = s->prev;
    w->counts.streams--;
    w->counts.open--;
    peer_drop(w, s->peer);
}

static void
stream_free(struct web_stream *s)
{
    struct web_request *r = s->request;

    if (s->web != NULL)
        leave_server(s);
    ev_timer_stop(s->loop, &s->patience);
    if (s->fd >= 0) {
        ev_io_stop(s->loop, &s->readable);
        ev_io_stop(s->loop, &s->writable);
        close(s->fd);
    }
    buf_release(&s->out);
    free(s);
    r->stream = NULL;
    request_release(r);
}

static void
tell_gone(struct web_stream *s)
{
    void (*gone)(void *arg) = s->gone;

    s->gone = NULL;
    if (gone != NULL)
        gone(s->arg);
}

/* The client has left, or is cut. */
static void
close_now(struct web_stream *s)
{
    struct web *w = s->web;

    tell_gone(s);
    stream_free(s);
    if (w != NULL)
        web_settle(w);
}

/* The same from outside of the loop's callbacks: in the next turn. */
static void
close_soon(struct web_stream *s)
{
    s->is_over = true;
    loop_timer_in(s->loop, &s->patience, 0);
}

/* --- sending --------------------------------------------------------------------------- */

/* False: the client is gone. */
static bool
send_some(struct web_stream *s)
{
    size_t before = s->sent;

    while (s->sent < s->out.len) {
        ssize_t n =
            send(s->fd, s->out.data + s->sent, s->out.len - s->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n < 0)
            break;
        s->sent += (size_t)n;
    }
    if (s->sent == s->out.len) {
        buf_release(&s->out);
        s->sent = 0;
        ev_io_stop(s->loop, &s->writable);
        if (!s->is_ending)
            ev_timer_stop(s->loop, &s->patience);
        return true;
    }
    if (s->sent > s->out.len / 2) {
        buf_drop_front(&s->out, s->sent);
        s->sent = 0;
        before = SIZE_MAX;
    }
    if (!ev_is_active(&s->writable))
        LOOP_START(s->loop, io, &s->writable, s);
    if (!s->is_ending && (s->sent != before || !loop_timer_runs(&s->patience)))
        loop_timer_in(s->loop, &s->patience, s->web->options.idle_ms);
    return true;
}

static void
add_chunk(struct web_stream *s, const void *data, size_t len)
{
    if (s->is_chunked)
        buf_printf(&s->out, "%zx\r\n", len);
    buf_add(&s->out, data, len);
    if (s->is_chunked)
        buf_add_text(&s->out, "\r\n");
}

size_t
web_stream_waiting(const struct web_stream *s)
{
    return s->out.len - s->sent;
}

void
web_stream_write(struct web_stream *s, const void *data, size_t len)
{
    if (len == 0 || s->is_over || s->is_ending || s->is_bodiless)
        return;
    add_chunk(s, data, len);
    if (!send_some(s) || web_stream_waiting(s) > s->web->options.stream_buffer_max)
        close_soon(s);
}

void
web_stream_end(struct web_stream *s)
{
    s->gone = NULL;
    stream_drain(s);
}

void
stream_drain(struct web_stream *s)
{
    if (s->is_over || s->is_ending)
        return;
    s->is_ending = true;
    if (s->is_chunked && !s->is_bodiless)
        buf_add_text(&s->out, "0\r\n\r\n");
    if (!send_some(s) || s->out.len == 0)
        close_soon(s);
    else
        loop_timer_in(s->loop, &s->patience, LAST_MS);
}

struct web_stream *
stream_next(const struct web_stream *s)
{
    return s->next;
}

void
stream_abort(struct web_stream *s)
{
    tell_gone(s);
    stream_free(s);
}

/* --- the loop --------------------------------------------------------------------------- */

static void
on_writable(UNUSED struct ev_loop *loop, ev_io *io, UNUSED int events)
{
    struct web_stream *s = io->data;

    if (!send_some(s) || (s->is_ending && s->out.len == 0))
        close_now(s);
}

/* What a client says after its request is of no interest, but that it has left is. */
static void
on_readable(UNUSED struct ev_loop *loop, ev_io *io, UNUSED int events)
{
    struct web_stream *s = io->data;
    char nowhere[READ_BYTES];
    ssize_t n = recv(s->fd, nowhere, sizeof(nowhere), MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_now(s);
}

static void
on_impatient(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    close_now(timer->data);
}

/* --- beginning --------------------------------------------------------------------------- */

static void
add_head(struct web_stream *s, const char *type)
{
    struct web_request *r = s->request;

    buf_add_text(&s->out, "HTTP/1.1 200 OK\r\nConnection: close\r\n");
    buf_printf(&s->out, "Content-Type: %s\r\n", type);
    for (const struct header *h = r->headers; h != NULL; h = h->next)
        buf_printf(&s->out, "%s: %s\r\n", h->name, h->value);
    buf_add_text(&s->out, s->is_chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n");
}

static void
take_socket(struct web_stream *s)
{
    struct conn *c = s->request->conn;
    int bytes = SEND_BUFFER;

    s->web = c->web;
    s->next = s->web->streams;
    if (s->next != NULL)
        s->next->prev = s;
    s->web->streams = s;
    s->web->counts.streams++;
    s->web->counts.open++;
    s->peer = c->peer; /* counted once, and from now on here */
    c->peer = NULL;
    s->fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3);
    if (s->fd < 0)
        return;
    setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    loop_io_init(&s->readable, on_readable, s->fd, EV_READ);
    loop_io_init(&s->writable, on_writable, s->fd, EV_WRITE);
    LOOP_START(s->loop, io, &s->readable, s);
}

struct web_stream *
web_stream(struct web_request *r, const char *type, void (*gone)(void *arg), void *arg)
{
    struct web_stream *s = xcalloc(1, sizeof(*s));

    begin_answer(r);
    r->status = 200;
    r->stream = s;
    s->loop = r->web != NULL ? r->web->loop : loop_get();
    s->request = r;
    s->fd = -1;
    s->is_chunked = !r->is_http_10;
    s->is_bodiless = r->is_head;
    s->gone = gone;
    s->arg = arg;
    loop_timer_init(&s->patience, on_impatient);
    s->patience.data = s;
    if (r->mhd != NULL) {
        web_peer(r); /* known as long as the request */
        web_count_answer(r->web, r, r->status);
        take_socket(s);
    }
    if (s->fd < 0) {
        close_soon(s);
    } else {
        add_head(s, type);
        if (!send_some(s))
            close_soon(s);
        else if (s->is_bodiless || s->web->is_draining)
            stream_drain(s);
    }
    request_resume(r);
    return s;
}
