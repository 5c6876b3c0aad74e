#include "ipc/rpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/pack.h"

/* --- measuring ----------------------------------------------------------------- */

enum rpc_found
rpc_scan(struct rpc_scan *scan, const char *data, size_t len, size_t max_bytes)
{
    if (!scan->begun)
        *scan = (struct rpc_scan){.open = 1, .begun = true};
    while (scan->open > 0) {
        struct pack_head head;

        if (scan->at >= len)
            return scan->at >= max_bytes ? RPC_TOO_BIG : RPC_MORE;
        switch (pack_head(data + scan->at, len - scan->at, &head)) {
        case PACK_MORE:
            return RPC_MORE;
        case PACK_BROKEN:
            return RPC_BROKEN;
        case PACK_WHOLE:
            break;
        }
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

    /* An empty text has no bytes that could be pointed to. */
    if (value != NULL && value->type == MSGPACK_OBJECT_STR && value->via.str.size > 0) {
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
