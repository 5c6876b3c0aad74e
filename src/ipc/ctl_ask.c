/*
 * One question, one answer, then the connection is closed.  The socket is watched for
 * whatever is missing: room for the question, or the answer.
 */
#include "ipc/ctl_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/ctl_client.h"

#define AGAIN_MS 20 /* its queue of connections is full */
#define READ_BYTES 65536

struct ctl_ask {
    struct ev_loop *loop;
    char *path;
    ev_timer begin, patience;
    ev_io ready;
    int fd;
    struct buf request;
    size_t sent;
    struct rpc_scan scan;
    struct ctl_answer answer;
    int64_t timeout_ms;
    ctl_ask_answer *tell;
    void *arg;
};

void
ctl_ask_forget(struct ctl_ask *ask)
{
    ev_timer_stop(ask->loop, &ask->begin);
    ev_timer_stop(ask->loop, &ask->patience);
    ev_io_stop(ask->loop, &ask->ready);
    auto_fd(&ask->fd);
    buf_release(&ask->request);
    ctl_answer_release(&ask->answer);
    free(ask->path);
    free(ask);
}

static void
failed(struct ctl_ask *ask, const struct err *err)
{
    ctl_ask_answer *tell = ask->tell;
    void *arg = ask->arg;

    ctl_ask_forget(ask);
    tell(arg, NULL, err);
}

static void
answered(struct ctl_ask *ask)
{
    struct err err = {0};

    if (!ctl_answer_read(&ask->answer, &err)) {
        failed(ask, &err);
        return;
    }
    ev_timer_stop(ask->loop, &ask->patience);
    ev_io_stop(ask->loop, &ask->ready);
    ask->tell(ask->arg, &ask->answer.result, NULL);
    ctl_ask_forget(ask);
}

/* --- the way there ------------------------------------------------------------------ */

static void on_ready(struct ev_loop *loop, ev_io *w, int events);

static void
watch(struct ctl_ask *ask, int events)
{
    ev_io_stop(ask->loop, &ask->ready);
    loop_io_init(&ask->ready, on_ready, ask->fd, events);
    LOOP_START(ask->loop, io, &ask->ready, ask);
}

static bool
send_some(struct ctl_ask *ask, struct err *err)
{
    ssize_t n = send(ask->fd, ask->request.data + ask->sent, ask->request.len - ask->sent,
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    /* Refused: what it said before closing can still be read. */
    if (n < 0 && errno == EPIPE)
        ask->sent = ask->request.len;
    else if (n < 0 && errno != EINTR && errno != EAGAIN)
        return err_errno(err, ERR_RETRY, "cannot ask pgcrewd");
    ask->sent += n > 0 ? (size_t)n : 0;
    if (ask->sent == ask->request.len)
        watch(ask, EV_READ);
    return true;
}

/* *ret_whole: the answer is here. */
static bool
receive_some(struct ctl_ask *ask, bool *ret_whole, struct err *err)
{
    struct buf *in = &ask->answer.bytes;
    ssize_t n = recv(ask->fd, buf_reserve(in, READ_BYTES), READ_BYTES, MSG_DONTWAIT);

    *ret_whole = false;
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n < 0)
        return err_errno(err, ERR_RETRY, "cannot read the answer of pgcrewd");
    if (n == 0)
        return err_set(err, ERR_RETRY, "pgcrewd closed the connection without an answer");
    in->len += (size_t)n;
    switch (rpc_scan(&ask->scan, in->data, in->len, CTL_ANSWER_MAX)) {
    case RPC_WHOLE:
        *ret_whole = true;
        return true;
    case RPC_MORE:
        return true;
    case RPC_TOO_BIG:
    case RPC_BROKEN:
        break;
    }
    return err_set(err, ERR_RETRY, "this is no answer of pgcrewd");
}

static void
on_ready(struct ev_loop *loop, ev_io *w, int events)
{
    struct ctl_ask *ask = w->data;
    bool is_whole = false;
    struct err err = {0};

    (void)loop;
    (void)events;
    if (!(ask->sent < ask->request.len ? send_some(ask, &err) : receive_some(ask, &is_whole, &err)))
        failed(ask, &err);
    else if (is_whole)
        answered(ask);
}

/* --- the beginning ------------------------------------------------------------------ */

static bool
reach(struct ctl_ask *ask, struct err *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    if (strlen(ask->path) >= sizeof(addr.sun_path))
        return err_set(err, ERR_CONFIG, "control socket path '%s' is too long", ask->path);
    memcpy(addr.sun_path, ask->path, strlen(ask->path) + 1);
    if (ask->fd < 0)
        ask->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (ask->fd < 0)
        return err_errno(err, ERR_RETRY, "cannot make a socket");
    if (connect(ask->fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
        watch(ask, EV_WRITE);
    else if (errno == EAGAIN || errno == EINTR)
        loop_timer_in(ask->loop, &ask->begin, AGAIN_MS);
    else
        return err_errno(err, ERR_RETRY, "cannot reach pgcrewd at '%s'", ask->path);
    return true;
}

static void
on_begin(struct ev_loop *loop, ev_timer *w, int events)
{
    struct ctl_ask *ask = w->data;
    struct err err = {0};

    (void)loop;
    (void)events;
    if (!reach(ask, &err))
        failed(ask, &err);
}

static void
on_impatient(struct ev_loop *loop, ev_timer *w, int events)
{
    struct ctl_ask *ask = w->data;
    struct err err = {0};

    (void)loop;
    (void)events;
    err_set(&err, ERR_RETRY, "pgcrewd did not answer within %d ms", (int)ask->timeout_ms);
    failed(ask, &err);
}

struct ctl_ask *
ctl_ask(struct ev_loop *loop, const char *path, const char *method, const struct buf *params,
        int64_t timeout_ms, ctl_ask_answer *answer, void *arg)
{
    struct ctl_ask *ask = xcalloc(1, sizeof(*ask));

    ask->loop = loop;
    ask->path = xstrdup(path);
    ask->fd = -1;
    ask->timeout_ms = timeout_ms;
    ask->tell = answer;
    ask->arg = arg;
    rpc_pack_request(&ask->request, 1, method, params);
    loop_timer_init(&ask->begin, on_begin);
    loop_timer_init(&ask->patience, on_impatient);
    ask->begin.data = ask->patience.data = ask;
    loop_timer_in(loop, &ask->begin, 0);
    loop_timer_in(loop, &ask->patience, timeout_ms);
    return ask;
}
