/* Orders: none lost, none reordered, the end is told once. */
#include "ipc/order.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

struct side {
    struct order_port *port;
    int n_heard, n_gone, n_wrong_order;
    int64_t last;
    struct order newest;
    bool free_when_heard;
};

static struct ev_loop *loop;

static void
heard(void *owner, const struct order *order)
{
    struct side *s = owner;

    s->n_heard++;
    s->newest = *order;
    if (order->what == ORDER_REAP) {
        s->n_wrong_order += order->ids[0] != s->last + 1;
        s->last = order->ids[0];
    }
    if (s->free_when_heard) {
        order_port_free(s->port);
        s->port = NULL;
    }
}

static void
gone(void *owner)
{
    struct side *s = owner;

    s->n_gone++;
    order_port_free(s->port);
    s->port = NULL;
}

static void
make_pair(struct side *a, struct side *b)
{
    int fds[2] = {-1, -1};
    struct err err;

    *a = *b = (struct side){0};
    ok(order_pair(fds, &err), "a pair can be made");
    a->port = order_port_new(loop, fds[0], heard, gone, a);
    b->port = order_port_new(loop, fds[1], heard, gone, b);
}

static void
turn(int times)
{
    for (int i = 0; i < times; i++)
        ev_run(loop, EVRUN_NOWAIT);
}

static void
say_reap(struct side *s, int64_t n)
{
    struct order order = {.what = ORDER_REAP, .n_ids = ORDER_IDS};

    for (int i = 0; i < ORDER_IDS; i++)
        order.ids[i] = n + i;
    order_send(s->port, &order);
}

static void
test_talk(void)
{
    struct side a, b;
    struct order order = {
        .what = ORDER_CANCEL, .process = uuid_random(), .n_ids = 2, .ids = {5, 6}};

    make_pair(&a, &b);
    order_say(a.port, ORDER_WAKE);
    order_send(a.port, &order);
    order_say(b.port, ORDER_IDLE);
    turn(2);
    is_int(b.n_heard, 2, "both orders arrive");
    ok(order_sent(a.port) == 2 && order_sent(b.port) == 1, "each side knows how many it has sent");
    ok(b.newest.what == ORDER_CANCEL && b.newest.n_ids == 2 && b.newest.ids[1] == 6 &&
           uuid_equal(&b.newest.process, &order.process),
       "with all they carry");
    is_int(a.newest.what, ORDER_IDLE, "the other way works, too");
    order_port_free(a.port);
    turn(2);
    is_int(b.n_gone, 1, "the end of the other side is told once");
}

static void
test_many(void)
{
    struct side a, b;

    make_pair(&a, &b);
    for (int i = 1; i <= 5000; i++)
        say_reap(&a, i);
    ok(b.n_heard == 0, "nobody has read yet");
    is_int(order_sent(a.port), 5000, "those that wait are counted as sent");
    for (int i = 0; i < 1000 && b.n_heard < 5000; i++)
        turn(1);
    is_int(b.n_heard, 5000, "what the socket did not take arrives later");
    is_int(b.n_wrong_order, 0, "in order");
    order_port_free(a.port);
    order_port_free(b.port);
}

static void
test_said_before_the_end(void)
{
    struct side a, b;

    make_pair(&a, &b);
    order_say(b.port, ORDER_WAKE); /* unread at a's end: the kernel reports a reset */
    for (int i = 1; i <= 20; i++)
        say_reap(&a, i);
    order_port_free(a.port);
    order_port_pump(b.port);
    is_int(b.n_heard, 20, "what was said before the end is heard");
    is_int(b.n_gone, 1, "and then the end");
}

static void
test_deaf(void)
{
    struct side a, b;

    make_pair(&a, &b);
    for (int i = 1; i <= 20000; i++)
        say_reap(&a, i);
    turn(1);
    is_int(a.n_gone, 1, "who never listens is as good as gone");
    for (int i = 0; i < 1000 && b.n_gone == 0; i++)
        turn(1);
    is_int(b.n_gone, 1, "and is told");
    is_int(b.n_wrong_order, 0, "nothing was skipped before the end");
}

static void
test_free_inside(void)
{
    struct side a, b;

    make_pair(&a, &b);
    b.free_when_heard = true;
    order_say(a.port, ORDER_WAKE);
    order_say(a.port, ORDER_WAKE);
    turn(2);
    is_int(b.n_heard, 1, "a port freed by who heard it says no more");
    is_int(a.n_gone, 1, "and the other side is told");
    order_say(NULL, ORDER_WAKE);
    ok(true, "nobody can be told anything");
}

static void
test_garbage(void)
{
    struct side a, b;
    struct order order = {.what = ORDER_CANCEL, .n_ids = 4000000000u};

    make_pair(&a, &b);
    ok(send(order_port_fd(a.port), "x", 1, 0) == 1, "garbage is sent");
    ok(send(order_port_fd(a.port), &order, sizeof(order), 0) > 0, "and a lying length");
    order_say(a.port, ORDER_WAKE);
    turn(2);
    ok(b.n_heard == 1 && b.newest.what == ORDER_WAKE, "only what is an order is heard");
    order_port_free(a.port);
    order_port_free(b.port);
}

int
main(void)
{
    loop = loop_get();
    test_talk();
    test_many();
    test_said_before_the_end();
    test_deaf();
    test_free_inside();
    test_garbage();
    return done_testing();
}
