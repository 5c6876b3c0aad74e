/*
 * One end of a pair between the supervisor and a child.
 *
 * What the socket does not take at once waits in a queue of the sender.  The
 * queue has a limit: a side that has not read so much for so long is as good as
 * gone, and is treated as such, because orders must not be dropped silently.
 */
#include "ipc/order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fault.h"

#define QUEUE_MAX_BYTES ((size_t)4 << 20) /* some 8000 of the largest orders */
#define READS_PER_TURN 64                 /* then others may have the loop */

struct order_port {
    struct ev_loop *loop;
    ev_io readable, writable;
    int fd;
    bool is_gone;
    uint64_t sent;
    bool *freed; /* set by order_port_free() when heard or gone called it */
    void (*heard)(void *owner, const struct order *order);
    void (*gone)(void *owner);
    void *owner;
    struct buf queue; /* whole orders, each as long as order_size() says */
};

const char *
order_name(enum order_what what)
{
    static const char *const names[] = {
        [ORDER_NONE] = "none",       [ORDER_READY] = "ready", [ORDER_IDLE] = "idle",
        [ORDER_BUSY] = "busy",       [ORDER_MORE] = "more",   [ORDER_NEWS] = "news",
        [ORDER_QUIET] = "quiet",     [ORDER_WAITS] = "waits", [ORDER_REAPED] = "reaped",
        [ORDER_WAKE] = "wake",       [ORDER_DRAIN] = "drain", [ORDER_STOP] = "stop",
        [ORDER_STALLED] = "stalled", [ORDER_FLOWS] = "flows", [ORDER_CANCEL] = "cancel",
        [ORDER_FENCED] = "fenced",   [ORDER_REAP] = "reap",
    };

    return (size_t)what < LENGTH(names) ? names[what] : "unknown";
}

static size_t
order_size(uint32_t n_ids)
{
    return offsetof(struct order, ids) + n_ids * sizeof(int64_t);
}

static bool
is_whole(const struct order *order, size_t size)
{
    return size >= order_size(0) && order->n_ids <= ORDER_IDS && size == order_size(order->n_ids);
}

static void
end(struct order_port *port)
{
    if (port->is_gone)
        return;
    port->is_gone = true;
    ev_io_stop(port->loop, &port->readable);
    ev_io_stop(port->loop, &port->writable);
    buf_release(&port->queue);
    port->gone(port->owner);
}

/* One order; false when there is none (left), or the port has ended or been freed. */
static bool
read_one(struct order_port *port)
{
    struct order order;
    bool freed = false;
    ssize_t got;

    do
        got = recv(port->fd, &order, sizeof(order), MSG_DONTWAIT | MSG_TRUNC);
    while (got < 0 && (errno == EINTR || errno == ECONNRESET)); /* reset: what was sent follows */
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0) {
        end(port);
        return false;
    }
    if (!is_whole(&order, (size_t)got))
        return true; /* a broken child: its beat will stop, or it will die */
    fault_at(order_name(order.what), "heard");
    port->freed = &freed;
    port->heard(port->owner, &order);
    if (freed)
        return false;
    port->freed = NULL;
    return !port->is_gone;
}

void
order_port_pump(struct order_port *port)
{
    while (!port->is_gone && read_one(port))
        ;
}

static void
on_readable(UNUSED struct ev_loop *loop, ev_io *w, UNUSED int events)
{
    struct order_port *port = w->data;

    for (int i = 0; i < READS_PER_TURN && read_one(port); i++)
        ;
}

/* False when the socket has no room or the other side is gone; errno says which. */
static bool
send_bytes(struct order_port *port, const void *data, size_t size)
{
    ssize_t sent;

    do
        sent = send(port->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

static bool
is_full(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

static void
on_writable(UNUSED struct ev_loop *loop, ev_io *w, UNUSED int events)
{
    struct order_port *port = w->data;

    size_t at = 0;

    while (at < port->queue.len) {
        struct order head;

        memcpy(&head, port->queue.data + at, order_size(0));
        if (!send_bytes(port, port->queue.data + at, order_size(head.n_ids))) {
            /* Anything else is the end of the other side: reading will tell. */
            if (!is_full(errno))
                at = port->queue.len;
            break;
        }
        at += order_size(head.n_ids);
    }
    buf_drop_front(&port->queue, at);
    if (port->queue.len == 0)
        ev_io_stop(port->loop, &port->writable);
}

void
order_send(struct order_port *port, const struct order *order)
{
    size_t size = order_size(order->n_ids);

    if (port == NULL || port->is_gone)
        return;
    port->sent++;
    if (port->queue.len == 0) {
        if (!fault_fails_at(order_name(order->what), "said", EAGAIN) &&
            (send_bytes(port, order, size) || !is_full(errno)))
            return;
        LOOP_START(port->loop, io, &port->writable, port);
    }
    if (port->queue.len + size > QUEUE_MAX_BYTES) {
        /* Reading finds the end and calls gone, not we in the middle of the caller's work. */
        shutdown(port->fd, SHUT_RDWR);
        return;
    }
    buf_add(&port->queue, order, size);
}

void
order_say(struct order_port *port, enum order_what what)
{
    struct order order = {.what = what};

    order_send(port, &order);
}

uint64_t
order_sent(const struct order_port *port)
{
    return port != NULL ? port->sent : 0;
}

struct order_port *
order_port_new(struct ev_loop *loop, int fd, void (*heard)(void *, const struct order *),
               void (*gone)(void *), void *owner)
{
    struct order_port *port = xcalloc(1, sizeof(*port));

    port->loop = loop;
    port->fd = fd;
    port->heard = heard;
    port->gone = gone;
    port->owner = owner;
    loop_io_init(&port->readable, on_readable, fd, EV_READ);
    loop_io_init(&port->writable, on_writable, fd, EV_WRITE);
    LOOP_START(loop, io, &port->readable, port);
    return port;
}

void
order_port_free(struct order_port *port)
{
    if (port == NULL)
        return;
    if (port->freed != NULL)
        *port->freed = true;
    ev_io_stop(port->loop, &port->readable);
    ev_io_stop(port->loop, &port->writable);
    close(port->fd);
    buf_release(&port->queue);
    free(port);
}

int
order_port_fd(const struct order_port *port)
{
    return port->fd;
}

bool
order_pair(int ret_fds[2], struct err *err)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds) < 0)
        return err_errno(err, ERR_RETRY, "cannot make a socket pair for a child");
    return true;
}
