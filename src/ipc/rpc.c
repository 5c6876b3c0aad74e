#include "ipc/rpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- measuring ----------------------------------------------------------------- */

/* What follows the first byte of a value: msgpack's specification, "formats". */
struct shape {
    uint8_t length_bytes;                          /* of a length or count, big-endian */
    uint8_t fixed_bytes;                           /* of the value itself */
    enum { BYTES, VALUES, PAIRS, NOTHING } counts; /* what the length counts */
};

/* clang-format off */
static const struct shape shapes[] = { /* from 0xc0 */
    [0xc0 - 0xc0] = {0, 0, NOTHING}, /* nil */
    [0xc2 - 0xc0] = {0, 0, NOTHING}, /* false */
    [0xc3 - 0xc0] = {0, 0, NOTHING}, /* true */
    [0xc4 - 0xc0] = {1, 0, BYTES},   [0xc5 - 0xc0] = {2, 0, BYTES},   /* bin */
    [0xc6 - 0xc0] = {4, 0, BYTES},
    [0xc7 - 0xc0] = {1, 1, BYTES},   [0xc8 - 0xc0] = {2, 1, BYTES},   /* ext: and its type */
    [0xc9 - 0xc0] = {4, 1, BYTES},
    [0xca - 0xc0] = {0, 4, NOTHING}, [0xcb - 0xc0] = {0, 8, NOTHING}, /* float */
    [0xcc - 0xc0] = {0, 1, NOTHING}, [0xcd - 0xc0] = {0, 2, NOTHING}, /* uint */
    [0xce - 0xc0] = {0, 4, NOTHING}, [0xcf - 0xc0] = {0, 8, NOTHING},
    [0xd0 - 0xc0] = {0, 1, NOTHING}, [0xd1 - 0xc0] = {0, 2, NOTHING}, /* int */
    [0xd2 - 0xc0] = {0, 4, NOTHING}, [0xd3 - 0xc0] = {0, 8, NOTHING},
    [0xd4 - 0xc0] = {0, 2, NOTHING}, [0xd5 - 0xc0] = {0, 3, NOTHING}, /* fixext: and its type */
    [0xd6 - 0xc0] = {0, 5, NOTHING}, [0xd7 - 0xc0] = {0, 9, NOTHING},
    [0xd8 - 0xc0] = {0, 17, NOTHING},
    [0xd9 - 0xc0] = {1, 0, BYTES},   [0xda - 0xc0] = {2, 0, BYTES},   /* str */
    [0xdb - 0xc0] = {4, 0, BYTES},
    [0xdc - 0xc0] = {2, 0, VALUES},  [0xdd - 0xc0] = {4, 0, VALUES},  /* array */
    [0xde - 0xc0] = {2, 0, PAIRS},   [0xdf - 0xc0] = {4, 0, PAIRS},   /* map */
};
/* clang-format on */

/* The header at p: its own size, bytes that follow it, and values that follow those. */
struct header {
    size_t size, bytes;
    uint64_t values;
};

static bool
short_header(uint8_t first, struct header *ret)
{
    *ret = (struct header){.size = 1};
    if (first >= 0xc0 && first < 0xe0)
        return false;
    if (first >= 0x80 && first < 0x90)
        ret->values = 2 * (first & 0x0fU);
    else if (first >= 0x90 && first < 0xa0)
        ret->values = first & 0x0fU;
    else if (first >= 0xa0 && first < 0xc0)
        ret->bytes = first & 0x1fU;
    return true; /* else a number in itself */
}

static enum rpc_found
read_header(const uint8_t *p, size_t len, struct header *ret)
{
    const struct shape *shape;
    uint64_t count = 0;

    if (short_header(p[0], ret))
        return RPC_WHOLE;
    if (p[0] == 0xc1)
        return RPC_BROKEN;
    shape = &shapes[p[0] - 0xc0];
    ret->size = 1U + shape->length_bytes;
    if (len < ret->size)
        return RPC_MORE;
    for (size_t i = 1; i < ret->size; i++)
        count = count << 8 | p[i];
    ret->bytes = shape->fixed_bytes + (shape->counts == BYTES ? count : 0);
    ret->values = shape->counts == PAIRS ? 2 * count : shape->counts == VALUES ? count : 0;
    return RPC_WHOLE;
}

enum rpc_found
rpc_scan(struct rpc_scan *scan, const char *data, size_t len, size_t max_bytes)
{
    if (!scan->begun)
        *scan = (struct rpc_scan){.open = 1, .begun = true};
    while (scan->open > 0) {
        struct header head;
        enum rpc_found found;

        if (scan->at >= len)
            return scan->at >= max_bytes ? RPC_TOO_BIG : RPC_MORE;
        found = read_header((const uint8_t *)data + scan->at, len - scan->at, &head);
        if (found != RPC_WHOLE)
            return found;
        /* Every value to come takes a byte at least. */
        if (scan->at + head.size + head.bytes + scan->open - 1 + head.values > max_bytes)
            return RPC_TOO_BIG;
        scan->at += head.size + head.bytes;
        scan->open += head.values - 1;
    }
    return scan->at <= len ? RPC_WHOLE : RPC_MORE;
}

/* --- reading ------------------------------------------------------------------- */

bool
rpc_read_request(const msgpack_object *value, struct rpc_request *ret, struct err *err)
{
    const msgpack_object *part;

    *ret = (struct rpc_request){.id = 0};
    if (value->type != MSGPACK_OBJECT_ARRAY || value->via.array.size != 4)
        return err_set(err, ERR_PERMANENT, "a request is [0, id, method, params]");
    part = value->via.array.ptr;
    if (part[1].type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        ret->id = part[1].via.u64;
    if (part[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER || part[0].via.u64 != 0)
        return err_set(err, ERR_PERMANENT, "only requests (type 0) are answered");
    if (part[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
        return err_set(err, ERR_PERMANENT, "the id of a request is a number from 0");
    if (part[2].type != MSGPACK_OBJECT_STR || part[2].via.str.size >= sizeof(ret->method))
        return err_set(err, ERR_PERMANENT, "the method of a request is a short text");
    if (part[3].type != MSGPACK_OBJECT_ARRAY)
        return err_set(err, ERR_PERMANENT, "the params of a request are an array");
    rpc_text(&part[2], ret->method, sizeof(ret->method));
    ret->params = &part[3].via.array;
    return true;
}

const msgpack_object *
rpc_get(const msgpack_object *map, const char *key)
{
    size_t len = strlen(key);

    if (map == NULL || map->type != MSGPACK_OBJECT_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];

        if (pair->key.type == MSGPACK_OBJECT_STR && pair->key.via.str.size == len &&
            memcmp(pair->key.via.str.ptr, key, len) == 0)
            return &pair->val;
    }
    return NULL;
}

static int64_t
whole_part(double real, int64_t fallback)
{
    /* Casting what does not fit is undefined. */
    return real > -9e18 && real < 9e18 ? (int64_t)real : fallback;
}

int64_t
rpc_int(const msgpack_object *value, int64_t fallback)
{
    if (value == NULL)
        return fallback;
    if (value->type == MSGPACK_OBJECT_BOOLEAN)
        return value->via.boolean;
    if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
        return value->via.i64;
    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        return value->via.u64 <= INT64_MAX ? value->via.i64 : fallback;
    if (value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64)
        return whole_part(value->via.f64, fallback);
    return fallback;
}

const char *
rpc_text(const msgpack_object *value, char *ret, size_t size)
{
    size_t len = 0;

    if (value != NULL && value->type == MSGPACK_OBJECT_STR) {
        len = value->via.str.size < size ? value->via.str.size : size - 1;
        memcpy(ret, value->via.str.ptr, len);
    }
    ret[len] = '\0';
    return ret;
}

/* --- writing ------------------------------------------------------------------- */

static int
append(void *sink, const char *data, size_t len)
{
    buf_add(sink, data, len);
    return 0;
}

void
rpc_packer(msgpack_packer *pk, struct buf *sink)
{
    msgpack_packer_init(pk, sink, append);
}

void
rpc_pack_text(msgpack_packer *pk, const char *text)
{
    if (text == NULL)
        msgpack_pack_nil(pk);
    else
        msgpack_pack_str_with_body(pk, text, strlen(text));
}

void
rpc_pack_bool(msgpack_packer *pk, bool value)
{
    if (value)
        msgpack_pack_true(pk);
    else
        msgpack_pack_false(pk);
}

void
rpc_key_text(msgpack_packer *pk, const char *key, const char *text)
{
    rpc_pack_text(pk, key);
    rpc_pack_text(pk, text);
}

void
rpc_key_int(msgpack_packer *pk, const char *key, int64_t value)
{
    rpc_pack_text(pk, key);
    msgpack_pack_int64(pk, value);
}

void
rpc_key_uint(msgpack_packer *pk, const char *key, uint64_t value)
{
    rpc_pack_text(pk, key);
    msgpack_pack_uint64(pk, value);
}

void
rpc_key_bool(msgpack_packer *pk, const char *key, bool value)
{
    rpc_pack_text(pk, key);
    rpc_pack_bool(pk, value);
}

void
rpc_key_nil(msgpack_packer *pk, const char *key)
{
    rpc_pack_text(pk, key);
    msgpack_pack_nil(pk);
}

void
rpc_pack_request(struct buf *sink, uint64_t id, const char *method, const struct buf *params)
{
    msgpack_packer pk;

    rpc_packer(&pk, sink);
    msgpack_pack_array(&pk, 4);
    msgpack_pack_int(&pk, 0);
    msgpack_pack_uint64(&pk, id);
    rpc_pack_text(&pk, method);
    if (params != NULL && params->len > 0)
        buf_add(sink, params->data, params->len);
    else
        msgpack_pack_array(&pk, 0);
}

void
rpc_pack_result(struct buf *sink, uint64_t id, const struct buf *result)
{
    msgpack_packer pk;

    rpc_packer(&pk, sink);
    msgpack_pack_array(&pk, 4);
    msgpack_pack_int(&pk, 1);
    msgpack_pack_uint64(&pk, id);
    msgpack_pack_nil(&pk);
    buf_add(sink, result->data, result->len);
}

void
rpc_pack_error(struct buf *sink, uint64_t id, const char *text)
{
    msgpack_packer pk;

    rpc_packer(&pk, sink);
    msgpack_pack_array(&pk, 4);
    msgpack_pack_int(&pk, 1);
    msgpack_pack_uint64(&pk, id);
    rpc_pack_text(&pk, text);
    msgpack_pack_nil(&pk);
}
