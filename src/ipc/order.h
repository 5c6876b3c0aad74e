/*
 * What the supervisor and its children say to each other: fixed-size messages
 * over a SOCK_SEQPACKET socket pair, one a child.  Both ends are our own code
 * on one host, so the struct itself is the format.  End of file means that the
 * other side is gone.
 *
 * Adding an order?  A name in order.c, a row in supervisor/hear.c or in the
 * child's table (worker/hear.c, janitor/hear.c).
 */
#ifndef PGCREW_IPC_ORDER_H
#define PGCREW_IPC_ORDER_H

#include "base/base.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/uuid.h"

#define ORDER_IDS 64

enum order_what {
    ORDER_NONE,
    /* child -> supervisor */
    ORDER_READY,   /* initialised; sent once, does not mean that the database is there */
    ORDER_IDLE,    /* worker: my last claim found nothing, wake me */
    ORDER_BUSY,    /* worker: I have work, do not wake me */
    ORDER_MORE,    /* worker: was idle and found work; there may be more */
    ORDER_NEWS,    /* janitor: there may be work for one idle worker (a NOTIFY, a promotion) */
    ORDER_QUIET,   /* janitor: has looked, nothing waits for an idle worker of this host */
    ORDER_WAITS,   /* janitor: has looked, and something does */
    ORDER_REAPED,  /* janitor: process has been reaped in the database */
    ORDER_STALLED, /* janitor: idle workers have claimed nothing for too long; see the board */
    ORDER_FLOWS,   /* janitor: that is over; the board says why */
    /* supervisor -> worker */
    ORDER_WAKE,  /* claim now, look from the start of the queue */
    ORDER_DRAIN, /* claim no more, give back what has not started, end when all have ended */
    ORDER_STOP,  /* the same, but end running handlers and give their jobs back */
    /* janitor -> supervisor -> the worker with that process */
    ORDER_CANCEL, /* ids: running jobs whose cancellation was asked for */
    ORDER_FENCED, /* this process has no lease any more */
    /* supervisor -> janitor */
    ORDER_REAP, /* process has died; ids: the jobs that were running in it, unless unseen */
};

struct order {
    enum order_what what;
    bool only;   /* ORDER_REAP: no other job can have ended it */
    bool unseen; /* ORDER_REAP: nobody saw it die, all of its host was lost */
    uint32_t n_ids;
    struct uuid process;
    int64_t ids[ORDER_IDS];
};

const char *order_name(enum order_what what);

/* One end of the pair, driven by the loop of its process. */
struct order_port;

/*
 * Takes fd.  heard is called once per order; gone once when the other side has
 * ended (the port stays valid until order_port_free, which may be called from both).
 */
struct order_port *order_port_new(struct ev_loop *loop, int fd,
                                  void (*heard)(void *owner, const struct order *order),
                                  void (*gone)(void *owner), void *owner);
void order_port_free(struct order_port *port); /* NULL is fine */
int order_port_fd(const struct order_port *port);
/* Hear now what has arrived already: before a dead child's port is freed. */
void order_port_pump(struct order_port *port);

/*
 * Send, now if the socket has room, else when it has; orders are neither lost
 * nor reordered while the other side lives.  Sides that have left 4 MiB unread
 * do not count as living: the connection is cut and both ends hear gone.  Never
 * calls heard or gone itself.  NULL is fine: nobody is there.
 */
void order_send(struct order_port *port, const struct order *order);
void order_say(struct order_port *port, enum order_what what); /* one without data */
/* How many orders were sent so far, those that still wait among them. */
uint64_t order_sent(const struct order_port *port);

/* A pair of close-on-exec, non-blocking ends. */
bool order_pair(int ret_fds[2], struct err *err) MUST_CHECK;

#endif
