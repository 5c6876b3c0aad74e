/*
 * msgpack-rpc as the control socket speaks it: a request is
 * [0, id, method, params], an answer [1, id, error, result]; one of error and
 * result is nil, error is a text for people.
 *
 * Bytes from outside are measured by rpc_scan() before msgpack-c unpacks them:
 * a header may announce more elements than there will ever be bytes, and the
 * library reserves memory for all of them.
 */
#ifndef PGCREW_IPC_RPC_H
#define PGCREW_IPC_RPC_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wcast-align"
#pragma GCC diagnostic ignored "-Wundef"
#include <msgpack.h>
#pragma GCC diagnostic pop

#define RPC_METHOD_SIZE 32

/* --- taking apart ------------------------------------------------------------ */

/* How far one message has been measured; {0} to begin, and again after each message. */
struct rpc_scan {
    size_t at;     /* bytes looked at */
    uint64_t open; /* values still to come, plus one before the first */
    bool begun;
};

enum rpc_found {
    RPC_MORE,    /* not all of it is here yet */
    RPC_WHOLE,   /* a whole value ends at scan->at */
    RPC_TOO_BIG, /* it is, or says that it will be, longer than max_bytes */
    RPC_BROKEN,  /* not msgpack */
};

/* Go on measuring the value at the start of data; data must only have grown since the last call. */
enum rpc_found rpc_scan(struct rpc_scan *scan, const char *data, size_t len, size_t max_bytes);

struct rpc_request {
    uint64_t id; /* 0 while unknown */
    char method[RPC_METHOD_SIZE];
    const msgpack_object_array *params; /* points into the unpacked value */
};

/* ret->id is set, when it could be read, even on failure: the error can be answered. */
bool rpc_read_request(const msgpack_object *value, struct rpc_request *ret,
                      struct err *err) MUST_CHECK;

/* Value of a key; NULL when map is NULL, no map, or has no such key. */
const msgpack_object *rpc_get(const msgpack_object *map, const char *key);
/* The value as a number (booleans are 0 and 1, reals are cut), fallback for NULL or anything else. */
int64_t rpc_int(const msgpack_object *value, int64_t fallback);
/* The same for a text: a copy with a NUL in ret, cut at size; "" for anything but a text. */
const char *rpc_text(const msgpack_object *value, char *ret, size_t size);

/* --- putting together -------------------------------------------------------- */

/* pk appends to sink. */
void rpc_packer(msgpack_packer *pk, struct buf *sink);

void rpc_pack_text(msgpack_packer *pk, const char *text); /* NULL becomes nil */
void rpc_pack_bool(msgpack_packer *pk, bool value);
void rpc_key_text(msgpack_packer *pk, const char *key, const char *text);
void rpc_key_int(msgpack_packer *pk, const char *key, int64_t value);
void rpc_key_uint(msgpack_packer *pk, const char *key, uint64_t value);
void rpc_key_bool(msgpack_packer *pk, const char *key, bool value);
void rpc_key_nil(msgpack_packer *pk, const char *key);

/* params: a packed array, or NULL for none. */
void rpc_pack_request(struct buf *sink, uint64_t id, const char *method, const struct buf *params);
/* result: one packed value. */
void rpc_pack_result(struct buf *sink, uint64_t id, const struct buf *result);
void rpc_pack_error(struct buf *sink, uint64_t id, const char *text);

#endif
