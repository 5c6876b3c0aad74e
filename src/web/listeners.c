/*
 * Accepting.  At the limit nobody is refused: more wait in the kernel's queue until a
 * connection ends.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "web/internal.h"

#define ACCEPT_AT_ONCE 64
#define PAUSE_MS 500 /* when there are no descriptors left */
#define COMPLAIN_EVERY_MS 60000
/* Besides connections: the database, logs, the loop itself. */
#define OTHER_DESCRIPTORS 64
#define ALIVE_AFTER_S 60

bool
web_is_full(const struct web *w)
{
    return w->counts.open >= w->options.connections_max;
}

static void
hand_over(struct web *w, int fd, const struct sockaddr_storage *address, socklen_t len)
{
    const struct sockaddr *any = (const void *)address;
    struct peer *peer;

    if (!peer_take(w, any, &peer)) {
        send_refusal(w, fd, 429, "too many connections from this address");
        close(fd);
        return;
    }
    w->counts.connections++;
    w->arriving = conn_new(w, fd, address, peer);
    /* It closes fd when it fails. */
    if (MHD_add_connection(w->mhd, fd, any, len) != MHD_YES && w->arriving != NULL)
        conn_free(w->arriving);
    w->arriving = NULL;
}

static void
pause_accepting(struct web *w)
{
    int64_t now_ms = clock_mono_ms();

    if (w->complained_mono_ms == 0 || now_ms - w->complained_mono_ms > COMPLAIN_EVERY_MS) {
        log_warn("no descriptor left for an HTTP connection (%d are open): those that come wait",
                 w->counts.open);
        w->complained_mono_ms = now_ms;
    }
    listeners_stop(w);
    loop_timer_in(w->loop, &w->pause, PAUSE_MS);
}

static void
on_acceptable(UNUSED struct ev_loop *loop, ev_io *io, UNUSED int events)
{
    struct listener *l = io->data;
    struct web *w = l->web;

    for (int i = 0; i < ACCEPT_AT_ONCE && !web_is_full(w); i++) {
        struct sockaddr_storage address = {0};
        socklen_t len = sizeof(address);
        int fd = accept4(io->fd, (struct sockaddr *)&address, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_accepting(w);
            break; /* EAGAIN, ECONNABORTED: the client has gone already */
        }
        hand_over(w, fd, &address, len);
    }
    if (web_is_full(w))
        listeners_stop(w);
    web_kick(w);
}

static void
on_pause_over(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct web *w = timer->data;

    if (!w->is_draining && !web_is_full(w))
        listeners_start(w);
}

void
listeners_start(struct web *w)
{
    if (w->is_accepting)
        return;
    w->is_accepting = true;
    for (size_t i = 0; i < w->n_listeners; i++)
        ev_io_start(w->loop, &w->listeners[i].acceptable);
}

void
listeners_stop(struct web *w)
{
    w->is_accepting = false;
    ev_timer_stop(w->loop, &w->pause);
    for (size_t i = 0; i < w->n_listeners; i++)
        ev_io_stop(w->loop, &w->listeners[i].acceptable);
}

void
listeners_close(struct web *w)
{
    listeners_stop(w);
    for (size_t i = 0; i < w->n_listeners; i++)
        close(w->listeners[i].acceptable.fd);
    free(w->listeners);
    w->listeners = NULL;
    w->n_listeners = 0;
}

/* What connections inherit of their listener; of no meaning for a Unix socket. */
static void
set_options(int fd)
{
    int on = 1, seconds = ALIVE_AFTER_S;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
}

static void
raise_descriptor_limit(const struct web *w)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)w->options.connections_max + OTHER_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
        log_warn("%llu descriptors are too few for %d HTTP connections: LimitNOFILE=",
                 (unsigned long long)limit.rlim_cur, w->options.connections_max);
}

bool
listeners_init(struct web *w, struct err *err)
{
    for (size_t i = 0; i < w->options.n_fds; i++) {
        int fd = w->options.fds[i], is_listening = 0;
        socklen_t len = sizeof(is_listening);

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) < 0 || !is_listening)
            return err_set(err, ERR_CONFIG, "descriptor %d is no listening socket", fd);
    }
    raise_descriptor_limit(w);
    w->n_listeners = w->options.n_fds;
    w->listeners = xcalloc(w->n_listeners + 1, sizeof(*w->listeners));
    for (size_t i = 0; i < w->n_listeners; i++) {
        struct listener *l = &w->listeners[i];

        set_options(w->options.fds[i]);
        l->web = w;
        loop_io_init(&l->acceptable, on_acceptable, w->options.fds[i], EV_READ);
        l->acceptable.data = l;
    }
    loop_timer_init(&w->pause, on_pause_over);
    w->pause.data = w;
    return true;
}
