#include "ipc/ctl_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_S 10
#define READ_BYTES 65536

static bool
reach(const char *path, int *ret_fd, struct err *err)
{
    AUTO(fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE_S};

    if (strlen(path) >= sizeof(addr.sun_path))
        return err_set(err, ERR_CONFIG, "control socket path '%s' is too long", path);
    memcpy(addr.sun_path, path, strlen(path) + 1);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0)
        return err_errno(err, ERR_RETRY, "cannot make a socket");
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
        if (errno == EACCES || errno == EPERM)
            return err_errno(err, ERR_RETRY, "cannot reach pgcrewd at '%s'", path);
        return err_errno(err, ERR_RETRY, "cannot reach pgcrewd at '%s' (is it running?)", path);
    }
    *ret_fd = TAKE_FD(fd);
    return true;
}

static bool
send_all(int fd, const struct buf *what, struct err *err)
{
    for (size_t at = 0; at < what->len;) {
        ssize_t n = send(fd, what->data + at, what->len - at, MSG_NOSIGNAL);

        if (n < 0 && errno == EPIPE)
            return true; /* refused: what it said before closing can still be read */
        if (n < 0 && errno != EINTR)
            return err_errno(err, ERR_RETRY, "cannot ask pgcrewd");
        at += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool
receive(int fd, struct buf *ret, struct err *err)
{
    struct rpc_scan scan = {0};

    for (;;) {
        enum rpc_found found = rpc_scan(&scan, ret->data, ret->len, CTL_ANSWER_MAX);
        ssize_t n;

        if (found == RPC_WHOLE)
            return true;
        if (found != RPC_MORE)
            return err_set(err, ERR_RETRY, "this is no answer of pgcrewd");
        n = recv(fd, buf_reserve(ret, READ_BYTES), READ_BYTES, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return err_set(err, ERR_RETRY, "pgcrewd did not answer within %d s", PATIENCE_S);
        if (n < 0)
            return err_errno(err, ERR_RETRY, "cannot read the answer of pgcrewd");
        if (n == 0)
            return err_set(err, ERR_RETRY, "pgcrewd closed the connection without an answer");
        ret->len += (size_t)n;
    }
}

bool
ctl_answer_read(struct ctl_answer *answer, struct err *err)
{
    const struct buf *bytes = &answer->bytes;
    const msgpack_object *whole = &answer->unpacked.data, *part;
    char text[sizeof(err->text)];
    size_t end = 0;

    if (msgpack_unpack_next(&answer->unpacked, bytes->data, bytes->len, &end) !=
            MSGPACK_UNPACK_SUCCESS ||
        whole->type != MSGPACK_OBJECT_ARRAY || whole->via.array.size != 4)
        return err_set(err, ERR_RETRY, "this is no answer of pgcrewd");
    part = whole->via.array.ptr;
    if (part[2].type != MSGPACK_OBJECT_NIL)
        return err_set(err, ERR_PERMANENT, "%s", rpc_text(&part[2], text, sizeof(text)));
    answer->result = part[3];
    return true;
}

bool
ctl_call(const char *path, const char *method, const struct buf *params, struct ctl_answer *ret,
         struct err *err)
{
    AUTO(fd) int fd = -1;
    AUTO(buf) struct buf request = {0};
    struct ctl_answer answer = {.bytes = {0}};

    rpc_pack_request(&request, 1, method, params);
    if (!reach(path, &fd, err) || !send_all(fd, &request, err) ||
        !receive(fd, &answer.bytes, err) || !ctl_answer_read(&answer, err)) {
        ctl_answer_release(&answer);
        return false;
    }
    *ret = answer;
    return true;
}

void
ctl_answer_release(struct ctl_answer *answer)
{
    msgpack_unpacked_destroy(&answer->unpacked);
    buf_release(&answer->bytes);
    *answer = (struct ctl_answer){.bytes = {0}};
}
