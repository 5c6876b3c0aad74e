#include "http/multi.h"

#include <stdlib.h>

#include "base/log.h"

struct http_multi {
    struct ev_loop *loop;
    CURLM *curl;
    http_multi_over *over;
    ev_timer timer; /* when curl wants to be called without an event */
};

/* A socket that curl wants to hear of. */
struct watch {
    struct http_multi *multi;
    ev_io io;
};

static void
check(CURLMcode code)
{
    if (code != CURLM_OK)
        log_error("libcurl: %s", curl_multi_strerror(code));
}

static void
tell_over(struct http_multi *m)
{
    const CURLMsg *message;
    int left;

    /* The message is gone when its request is removed; whoever hears of it may add others. */
    while ((message = curl_multi_info_read(m->curl, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE)
            m->over(message->easy_handle, message->data.result);
    }
}

static void
act(struct http_multi *m, curl_socket_t socket, int events)
{
    int running;

    check(curl_multi_socket_action(m->curl, socket, events, &running));
    tell_over(m);
}

static void
on_io(struct ev_loop *loop, ev_io *w, int events)
{
    const struct watch *watch = w->data; /* may be freed by what follows */

    (void)loop;
    act(watch->multi, w->fd,
        ((events & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
            ((events & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0) |
            ((events & EV_ERROR) != 0 ? CURL_CSELECT_ERR : 0));
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    act(w->data, CURL_SOCKET_TIMEOUT, 0);
}

/* --- what curl asks for -------------------------------------------------------------- */

static int
watch_socket(CURL *easy, curl_socket_t socket, int what, void *multi, void *known)
{
    struct http_multi *m = multi;
    struct watch *watch = known;

    (void)easy;
    if (watch != NULL)
        ev_io_stop(m->loop, &watch->io);
    if (what == CURL_POLL_REMOVE) {
        free(watch);
        return 0;
    }
    if (watch == NULL) {
        watch = xcalloc(1, sizeof(*watch));
        watch->multi = m;
        check(curl_multi_assign(m->curl, socket, watch));
    }
    loop_io_init(&watch->io, on_io, socket,
                 ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                     ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));
    LOOP_START(m->loop, io, &watch->io, watch);
    return 0;
}

static int
set_timer(CURLM *curl, long ms, void *multi)
{
    struct http_multi *m = multi;

    (void)curl;
    if (ms < 0)
        ev_timer_stop(m->loop, &m->timer);
    else
        loop_timer_in(m->loop, &m->timer, ms);
    return 0;
}

struct http_multi *
http_multi_new(struct ev_loop *loop, long connections, http_multi_over *over)
{
    struct http_multi *m = xcalloc(1, sizeof(*m));

    *m = (struct http_multi){.loop = loop, .curl = curl_multi_init(), .over = over};
    if (m->curl == NULL)
        abort(); /* no memory */
    loop_timer_init(&m->timer, on_timer);
    m->timer.data = m;
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(m->curl, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(m->curl, CURLMOPT_TIMERDATA, m);
    curl_multi_setopt(m->curl, CURLMOPT_MAXCONNECTS, connections);
    return m;
}

void
http_multi_add(struct http_multi *m, CURL *easy)
{
    check(curl_multi_add_handle(m->curl, easy));
}

void
http_multi_remove(struct http_multi *m, CURL *easy)
{
    check(curl_multi_remove_handle(m->curl, easy));
}
