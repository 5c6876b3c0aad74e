/* The control socket's server: a client that sends these bytes and listens, or does not. */
#include "fuzz.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ipc/ctl.h"

static struct sockaddr_un address;
static socklen_t address_len;
static struct ctl *ctl;

static bool
call_first(void *owner, const msgpack_object_array *params, msgpack_packer *ret, struct err *err)
{
    const msgpack_object *first = params->size > 0 ? &params->ptr[0] : NULL;
    char text[32];

    (void)owner;
    if (first == NULL)
        return err_set(err, ERR_PERMANENT, "the first of what?");
    msgpack_pack_map(ret, 2);
    rpc_key_int(ret, "number", rpc_int(first, -1));
    rpc_key_text(ret, "text", rpc_text(rpc_get(first, "text"), text, sizeof(text)));
    return true;
}

static bool
call_big(void *owner, const msgpack_object_array *params, msgpack_packer *ret, struct err *err)
{
    static const char text[300000];

    (void)owner, (void)params, (void)err;
    msgpack_pack_bin_with_body(ret, text, sizeof(text));
    return true;
}

static const struct ctl_method methods[] = {
    {"first", false, 2, call_first},
    {"big", true, 0, call_big},
};

static void
start(void)
{
    static struct ctl_place place = CTL_NOWHERE;

    address.sun_family = AF_UNIX;
    address_len = sizeof(address);
    place.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* No name: the kernel makes one that no file has. */
    must(bind(place.fd, (const struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
    must(getsockname(place.fd, (struct sockaddr *)&address, &address_len) == 0);
    must(listen(place.fd, 1) == 0);
    ctl = ctl_new(loop_get(), &place, methods, LENGTH(methods), NULL);
}

/* One answer: [1, id, text, nil] or [1, id, nil, value]. */
static size_t
must_be_answer(const struct buf *answers, size_t at)
{
    struct rpc_scan scan = {0};
    const msgpack_object *part;
    msgpack_unpacked value;
    size_t end = 0;

    must(rpc_scan(&scan, answers->data + at, answers->len - at, answers->len) == RPC_WHOLE);
    msgpack_unpacked_init(&value);
    must(msgpack_unpack_next(&value, answers->data + at, scan.at, &end) == MSGPACK_UNPACK_SUCCESS);
    must(value.data.type == MSGPACK_OBJECT_ARRAY && value.data.via.array.size == 4);
    part = value.data.via.array.ptr;
    must(rpc_int(&part[0], -1) == 1);
    must(part[2].type == MSGPACK_OBJECT_NIL ||
         (part[2].type == MSGPACK_OBJECT_STR && part[2].via.str.size > 0));
    must(part[2].type == MSGPACK_OBJECT_NIL || part[3].type == MSGPACK_OBJECT_NIL);
    msgpack_unpacked_destroy(&value);
    return at + scan.at;
}

static bool
listen_to(int fd, struct buf *answers)
{
    ssize_t n = recv(fd, buf_reserve(answers, 65536), 65536, MSG_DONTWAIT);

    answers->len += n > 0 ? (size_t)n : 0;
    return n > 0 || (n < 0 && errno == EAGAIN);
}

/* All of it sent, in two pieces; then the answers up to the end. */
static void
talk(int fd, const char *data, size_t len, size_t split, bool listens)
{
    AUTO(buf) struct buf answers = {0};
    bool lives = true;

    if (split > len)
        split = len;
    must(send(fd, data, split, MSG_NOSIGNAL) == (ssize_t)split);
    ev_run(loop_get(), EVRUN_NOWAIT);
    ev_run(loop_get(), EVRUN_NOWAIT);
    lives = send(fd, data + split, len - split, MSG_NOSIGNAL) >= 0;
    shutdown(fd, SHUT_WR);
    for (size_t turn = 0; listens && turn < 100000 && ctl_clients(ctl) > 0; turn++) {
        ev_run(loop_get(), EVRUN_NOWAIT);
        lives = listen_to(fd, &answers);
    }
    while (listens && lives && listen_to(fd, &answers) && answers.len > 0 &&
           recv(fd, &(char){0}, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        ;
    must(!listens || ctl_clients(ctl) == 0);
    for (size_t at = 0; at < answers.len;)
        at = must_be_answer(&answers, at);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    size_t split = take_byte(&in);
    int fd;

    if (ctl == NULL)
        start();
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && connect(fd, (const struct sockaddr *)&address, address_len) == 0);
    talk(fd, in.at, in.left < 100000 ? in.left : 100000, split, split % 8 != 7);
    close(fd);
    for (int turn = 0; turn < 10000 && ctl_clients(ctl) > 0; turn++)
        ev_run(loop_get(), EVRUN_NOWAIT);
    must(ctl_clients(ctl) == 0);
}
