/* Orders of a process that may be out of its mind: datagrams of any size. */
#include "fuzz.h"

#include <sys/socket.h>

#include "ipc/order.h"

static int heard, gone;
static struct order last;

static void
on_order(void *owner, const struct order *order)
{
    (void)owner;
    must(order->n_ids <= ORDER_IDS);
    must(order_name(order->what)[0] != '\0');
    memcpy(&last, order, offsetof(struct order, ids) + order->n_ids * sizeof(order->ids[0]));
    heard++;
}

static void
on_gone(void *owner)
{
    (void)owner;
    gone++;
}

/* What was heard is sent on as it came. */
static void
pass_on(size_t size)
{
    struct order again;
    struct order_port *port;
    struct err err;
    int fds[2];

    must(order_pair(fds, &err));
    port = order_port_new(loop_get(), fds[0], on_order, on_gone, NULL);
    order_send(port, &last);
    must(order_sent(port) == 1);
    must(recv(fds[1], &again, sizeof(again), 0) == (ssize_t)size);
    must(memcmp(&again.process, &last.process, sizeof(last.process)) == 0);
    must(again.what == last.what && again.n_ids == last.n_ids);
    order_port_free(port);
    close(fds[1]);
}

static void
say(struct order_port *port, int fd, const char *data, size_t size)
{
    int before = heard;

    must(send(fd, data, size, MSG_NOSIGNAL) == (ssize_t)size);
    order_port_pump(port);
    must(heard <= before + 1);
    if (heard > before)
        pass_on(size);
}

/* A length of a byte, in units of four bytes, and so much of the input: a datagram. */
static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    struct order_port *port;
    struct err err;
    int fds[2];

    heard = gone = 0;
    must(order_pair(fds, &err));
    port = order_port_new(loop_get(), fds[0], on_order, on_gone, NULL);
    while (in.left > 1) {
        size_t size = (size_t)take_byte(&in) * 4 + 4;

        if (size > in.left)
            size = in.left;
        say(port, fds[1], in.at, size);
        in.at += size;
        in.left -= size;
    }
    close(fds[1]);
    order_port_pump(port);
    must(gone == 1);
    order_port_free(port);
}
