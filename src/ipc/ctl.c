/*
 * Clients of the control socket.  Each is served one request at a time: while
 * an answer waits to be taken nothing more is read, so that nobody can make our
 * memory grow by asking without listening.
 */
#include "ipc/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/log.h"
#include "ipc/ctl_peer.h"

#define ACCEPT_PAUSE_MS 1000 /* when there are no descriptors left */
#define READ_BYTES 16384

struct client {
    struct client *next;
    struct ctl *ctl;
    ev_io readable, writable;
    ev_timer patience;
    int fd;
    enum ctl_right right;
    bool is_closing; /* when what waits has been sent */
    bool is_hurried; /* patience runs for something unfinished */
    struct buf in, out;
    size_t sent; /* of out */
    struct rpc_scan scan;
};

struct ctl {
    struct ev_loop *loop;
    ev_io acceptable;
    ev_timer pause;
    const struct ctl_method *methods;
    size_t n_methods;
    void *owner;
    struct client *clients;
    size_t n_clients;
};

static void
client_free(struct client *c)
{
    struct ctl *ctl = c->ctl;

    for (struct client **at = &ctl->clients; *at != NULL; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            ctl->n_clients--;
            break;
        }
    }
    ev_io_stop(ctl->loop, &c->readable);
    ev_io_stop(ctl->loop, &c->writable);
    ev_timer_stop(ctl->loop, &c->patience);
    close(c->fd);
    buf_release(&c->in);
    buf_release(&c->out);
    free(c);
}

static const struct ctl_method *
find_method(const struct ctl *ctl, const char *name)
{
    for (size_t i = 0; i < ctl->n_methods; i++) {
        if (strcmp(ctl->methods[i].name, name) == 0)
            return &ctl->methods[i];
    }
    return NULL;
}

static bool
call_method(const struct client *c, const struct rpc_request *request, struct buf *ret,
            struct err *err)
{
    const struct ctl_method *method = find_method(c->ctl, request->method);
    msgpack_packer pk;

    if (method == NULL)
        return err_set(err, ERR_PERMANENT, "there is no method '%s'", request->method);
    if (method->changes && c->right == CTL_MAY_ASK_BELOW)
        return err_set(err, ERR_PERMANENT, "what pgcrewd runs may not ask it for '%s'",
                       method->name);
    if (method->changes && c->right != CTL_MAY_CHANGE)
        return err_set(err, ERR_PERMANENT, "only root and the user of pgcrewd may ask for '%s'",
                       method->name);
    if (request->params->size > method->most_params)
        return err_set(err, ERR_PERMANENT, "'%s' takes %u parameters at most", method->name,
                       method->most_params);
    rpc_packer(&pk, ret);
    return method->call(c->ctl->owner, request->params, &pk, err);
}

/* The whole request at the start of c->in. */
static void
answer(struct client *c, size_t size)
{
    AUTO(buf) struct buf result = {0};
    struct rpc_request request = {0};
    struct err err = {0};
    msgpack_unpacked value;
    size_t end = 0;

    msgpack_unpacked_init(&value);
    if (msgpack_unpack_next(&value, c->in.data, size, &end) != MSGPACK_UNPACK_SUCCESS) {
        c->is_closing = true;
        err_set(&err, ERR_PERMANENT, "this cannot be read: nested too deep?");
    } else if (!rpc_read_request(&value.data, &request, &err)) {
        c->is_closing = true;
    } else if (call_method(c, &request, &result, &err)) {
        rpc_pack_result(&c->out, request.id, &result);
    }
    if (err.class != ERR_NONE)
        rpc_pack_error(&c->out, request.id, err.text);
    msgpack_unpacked_destroy(&value);
    buf_drop_front(&c->in, size);
    c->is_hurried = false;
    c->scan = (struct rpc_scan){0};
}

static void
refuse(struct client *c, const char *why)
{
    rpc_pack_error(&c->out, 0, why);
    c->is_closing = true;
}

/* Is there something in c->in to be answered: a request, or what can never become one? */
static bool
is_ready(struct client *c)
{
    return c->in.len > 0 && !c->is_closing &&
           rpc_scan(&c->scan, c->in.data, c->in.len, CTL_REQUEST_MAX) != RPC_MORE;
}

static void
serve(struct client *c)
{
    switch (rpc_scan(&c->scan, c->in.data, c->in.len, CTL_REQUEST_MAX)) {
    case RPC_WHOLE:
        answer(c, c->scan.at);
        break;
    case RPC_TOO_BIG:
        refuse(c, "a request has at most 64 KiB");
        break;
    case RPC_BROKEN:
        refuse(c, "this is no msgpack");
        break;
    case RPC_MORE:
        break;
    }
}

/* Send what waits.  False when the client is gone or is to go. */
static bool
flush(struct client *c)
{
    while (c->sent < c->out.len) {
        ssize_t n = fault_fails("control.answers", EPIPE)
                        ? -1
                        : send(c->fd, c->out.data + c->sent, c->out.len - c->sent,
                               MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        c->sent += (size_t)n;
        fault_here("control.answered");
    }
    if (c->out.len > 0)
        c->is_hurried = false;
    buf_clear(&c->out);
    c->sent = 0;
    return !c->is_closing;
}

/* One patience for a whole request, one for a whole answer: a byte now and then buys no time. */
static void
set_patience(struct client *c)
{
    bool is_unfinished = c->in.len > 0 || c->out.len > 0;

    if (is_unfinished && c->is_hurried)
        return;
    c->is_hurried = is_unfinished;
    loop_timer_in(c->ctl->loop, &c->patience, is_unfinished ? CTL_UNFINISHED_MS : CTL_IDLE_MS);
}

/*
 * Serve one request, then wait for the right thing.  Further requests that are
 * here already have to wait for the next turn of the loop, which a socket that
 * can be written gives at once.  Frees c when it is over.
 */
static void
go_on(struct client *c)
{
    struct ev_loop *loop = c->ctl->loop;
    bool goes_on = flush(c);

    if (goes_on && c->out.len == 0 && is_ready(c)) {
        serve(c);
        goes_on = flush(c);
    }
    if (!goes_on) {
        client_free(c);
        return;
    }
    ev_io_stop(loop, &c->readable);
    ev_io_stop(loop, &c->writable);
    if (c->out.len > 0 || is_ready(c))
        LOOP_START(loop, io, &c->writable, c);
    else
        LOOP_START(loop, io, &c->readable, c);
    set_patience(c);
}

static void
on_readable(UNUSED struct ev_loop *loop, ev_io *w, UNUSED int events)
{
    struct client *c = w->data;
    ssize_t n = recv(c->fd, buf_reserve(&c->in, READ_BYTES), READ_BYTES, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        client_free(c);
        return;
    }
    c->in.len += (size_t)n;
    go_on(c);
}

static void
on_writable(UNUSED struct ev_loop *loop, ev_io *w, UNUSED int events)
{
    go_on(w->data);
}

static void
on_impatient(UNUSED struct ev_loop *loop, ev_timer *w, UNUSED int events)
{
    client_free(w->data);
}

/* --- arriving ------------------------------------------------------------------ */

/* Those who may only ask cannot keep out who has to command. */
static bool
is_one_too_many(const struct client *c)
{
    size_t most = CTL_CLIENTS + (c->right == CTL_MAY_CHANGE ? CTL_RESERVED : 0);

    return c->ctl->n_clients > most;
}

static void
client_new(struct ctl *ctl, int fd)
{
    struct client *c = xcalloc(1, sizeof(*c));

    c->ctl = ctl;
    c->fd = fd;
    c->right = ctl_right_of(fd);
    c->next = ctl->clients;
    ctl->clients = c;
    ctl->n_clients++;
    loop_io_init(&c->readable, on_readable, fd, EV_READ);
    loop_io_init(&c->writable, on_writable, fd, EV_WRITE);
    loop_timer_init(&c->patience, on_impatient);
    c->patience.data = c;
    if (is_one_too_many(c))
        refuse(c, "too many clients, try again later");
    go_on(c);
}

static void
on_acceptable(struct ev_loop *loop, ev_io *w, UNUSED int events)
{
    struct ctl *ctl = w->data;
    int fd = fault_fails("control.accepts", EMFILE)
                 ? -1
                 : accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0) {
        client_new(ctl, fd);
        return;
    }
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
        return; /* EAGAIN, ECONNABORTED: the client has gone already */
    log_warn("no descriptor left for a client of the control socket, trying again in 1 s");
    ev_io_stop(loop, w);
    loop_timer_in(loop, &ctl->pause, ACCEPT_PAUSE_MS);
}

static void
on_pause_over(struct ev_loop *loop, ev_timer *w, UNUSED int events)
{
    struct ctl *ctl = w->data;

    LOOP_START(loop, io, &ctl->acceptable, ctl);
}

struct ctl *
ctl_new(struct ev_loop *loop, const struct ctl_place *place, const struct ctl_method *methods,
        size_t n_methods, void *owner)
{
    struct ctl *ctl = xcalloc(1, sizeof(*ctl));

    ctl->loop = loop;
    ctl->methods = methods;
    ctl->n_methods = n_methods;
    ctl->owner = owner;
    loop_io_init(&ctl->acceptable, on_acceptable, place->fd, EV_READ);
    loop_timer_init(&ctl->pause, on_pause_over);
    ctl->pause.data = ctl;
    LOOP_START(loop, io, &ctl->acceptable, ctl);
    return ctl;
}

void
ctl_free(struct ctl *ctl)
{
    if (ctl == NULL)
        return;
    while (ctl->clients != NULL)
        client_free(ctl->clients);
    ev_io_stop(ctl->loop, &ctl->acceptable);
    ev_timer_stop(ctl->loop, &ctl->pause);
    free(ctl);
}

size_t
ctl_clients(const struct ctl *ctl)
{
    return ctl->n_clients;
}
