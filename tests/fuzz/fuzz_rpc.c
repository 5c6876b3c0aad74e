/* Messages of the control socket: measured, unpacked, read, and shown as JSON. */
#include "fuzz.h"

#include "ipc/rpc.h"
#include "metrics/facts.h"

#define MESSAGE_MAX 65536

/* In pieces it is the same as at once. */
static enum rpc_found
measure(const char *data, size_t len, size_t split, size_t *ret_size)
{
    struct rpc_scan whole = {0}, pieces = {0};
    enum rpc_found found = rpc_scan(&whole, data, len, MESSAGE_MAX), first;

    if (split > len)
        split = len;
    first = rpc_scan(&pieces, data, split, MESSAGE_MAX);
    if (first == RPC_MORE)
        first = rpc_scan(&pieces, data, len, MESSAGE_MAX);
    must(first == found);
    must(found != RPC_WHOLE || (whole.at == pieces.at && whole.at <= len));
    *ret_size = whole.at;
    return found;
}

static void
read_value(const msgpack_object *value)
{
    struct rpc_request request;
    struct err err = {0};
    json_t *json = facts_from_msgpack(value);
    char text[16], *dumped;

    must(json != NULL);
    dumped = json_dumps(json, JSON_ENCODE_ANY);
    must(dumped != NULL);
    free(dumped);
    json_decref(json);
    if (rpc_read_request(value, &request, &err))
        must(strlen(request.method) < sizeof(request.method) && request.params != NULL);
    else
        must_say(&err);
    must(strlen(rpc_text(value, text, sizeof(text))) < sizeof(text));
    (void)rpc_int(value, -1);
    (void)rpc_int(rpc_get(value, "workers"), -1);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    size_t split = take_byte(&in), size, end = 0;
    msgpack_unpacked value;
    msgpack_unpack_return how;
    char *copy;

    if (in.left == 0 || measure(in.at, in.left, split, &size) != RPC_WHOLE)
        return;
    copy = xmalloc(size);
    memcpy(copy, in.at, size);
    msgpack_unpacked_init(&value);
    how = msgpack_unpack_next(&value, copy, size, &end);
    must(how == MSGPACK_UNPACK_SUCCESS || how == MSGPACK_UNPACK_NOMEM_ERROR);
    if (how == MSGPACK_UNPACK_SUCCESS) {
        must(end == size);
        read_value(&value.data);
    }
    msgpack_unpacked_destroy(&value);
    free(copy);
}
