/*
 * Connections that were refused while the client still sends.
 *
 * Closed at once, with bytes of the client unread, the kernel resets them, and many a client
 * never sees the answer.  So what comes is thrown away for a moment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "web/internal.h"

#define LINGER_MS 2000
#define LINGERING_MAX 64
#define READ_BYTES 65536

struct lingerer {
    struct lingerer *next;
    struct web *web;
    ev_io readable;
    ev_timer end;
};

static void
linger_free(struct lingerer *l)
{
    struct lingerer **at = &l->web->lingering;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    l->web->n_lingering--;
    ev_io_stop(l->web->loop, &l->readable);
    ev_timer_stop(l->web->loop, &l->end);
    close(l->readable.fd);
    free(l);
}

static void
on_readable(UNUSED struct ev_loop *loop, ev_io *io, UNUSED int events)
{
    static char nowhere[READ_BYTES];
    ssize_t n = recv(io->fd, nowhere, sizeof(nowhere), MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        linger_free(io->data);
}

static void
on_end(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    linger_free(timer->data);
}

void
linger(struct web *w, int fd)
{
    struct lingerer *l;
    int copy;

    if (w->n_lingering >= LINGERING_MAX || w->is_freed)
        return;
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return;
    shutdown(copy, SHUT_WR);
    l = xcalloc(1, sizeof(*l));
    l->web = w;
    l->next = w->lingering;
    w->lingering = l;
    w->n_lingering++;
    loop_io_init(&l->readable, on_readable, copy, EV_READ);
    LOOP_START(w->loop, io, &l->readable, l);
    loop_timer_init(&l->end, on_end);
    l->end.data = l;
    loop_timer_in(w->loop, &l->end, LINGER_MS);
}

void
linger_end(struct web *w)
{
    struct lingerer *next;

    for (struct lingerer *l = w->lingering; l != NULL; l = next) {
        next = l->next;
        linger_free(l);
    }
}
