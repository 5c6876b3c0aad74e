/* msgpack-rpc: measured before it is unpacked, whatever comes. */
#include "ipc/rpc.h"

#include <stdlib.h>

#include "tap.h"

#define MAX 65536

static enum rpc_found
scan_all(const char *data, size_t len, size_t *ret_at)
{
    struct rpc_scan scan = {0};
    enum rpc_found found = rpc_scan(&scan, data, len, MAX);

    *ret_at = scan.at;
    return found;
}

static void
check(const char *data, size_t len, enum rpc_found expected, const char *what)
{
    /* A copy of just that length: reading past it is seen by the sanitizer. */
    char *copy = malloc(len > 0 ? len : 1);
    size_t at;

    memcpy(copy, data, len);
    is_int(scan_all(copy, len, &at), expected, "%s", what);
    free(copy);
}

#define CHECK(text, expected, what) check(text, sizeof(text) - 1, expected, what)

static void
test_scan(void)
{
    CHECK("", RPC_MORE, "nothing is not whole");
    CHECK("\x01", RPC_WHOLE, "a small number");
    CHECK("\xff", RPC_WHOLE, "a small negative number");
    CHECK("\xcf\0\0\0\0\0\0\0\1", RPC_WHOLE, "a large number");
    CHECK("\xcf\0\0\0\0\0\0\0", RPC_MORE, "a large number without its end");
    CHECK("\xa3"
          "abc",
          RPC_WHOLE, "a short text");
    CHECK("\xa3"
          "ab",
          RPC_MORE, "a short text without its end");
    CHECK("\x94\x00\x01\xa4ping\x90", RPC_WHOLE, "a request");
    CHECK("\x94\x00\x01\xa4ping", RPC_MORE, "a request without parameters yet");
    CHECK("\x82\xa1"
          "a\x01\xa1"
          "b\x91\xc0",
          RPC_WHOLE, "a map");
    CHECK("\xc7\x02\x05xy", RPC_WHOLE, "an extension");
    CHECK("\xd8\x05"
          "0123456789abcdef",
          RPC_WHOLE, "a fixed extension");
    CHECK("\xc1", RPC_BROKEN, "the byte that is never used");
    CHECK("\xdd\xff\xff\xff\xff", RPC_TOO_BIG, "four billion elements");
    CHECK("\xdf\xff\xff\xff\xff", RPC_TOO_BIG, "four billion pairs");
    CHECK("\xdb\xff\xff\xff\xff", RPC_TOO_BIG, "four billion letters");
    CHECK("\xdc\xff\xff", RPC_TOO_BIG, "more elements than bytes allowed with its header");
    CHECK("\x92\xdc\xff\xf0\xdc\xff\xf0", RPC_TOO_BIG, "two arrays that fit only one by one");
}

static void
test_one_byte_at_a_time(void)
{
    AUTO(buf) struct buf b = {0};
    struct rpc_scan scan = {0};
    size_t first;
    int more = 0, other = 0;

    rpc_pack_request(&b, 300, "workers", NULL);
    first = b.len;
    rpc_pack_request(&b, 301, "ping", NULL);
    for (size_t len = 0; len < first; len++) {
        if (rpc_scan(&scan, b.data, len, MAX) == RPC_MORE)
            more++;
        else
            other++;
    }
    is_int(other, 0, "a request that comes byte by byte is not whole %d times", more);
    is_int(rpc_scan(&scan, b.data, b.len, MAX), RPC_WHOLE, "and then is");
    is_int(scan.at, first, "the next one is not part of it");
}

/* The scan and msgpack-c must agree about random bytes, or one of them is wrong. */
static void
test_random(void)
{
    int whole = 0, disagreed = 0, requests = 0;

    srand(4711);
    for (int round = 0; round < 200000; round++) {
        size_t len = (size_t)(rand() % 40), at = 0, end = 0;
        char *data = malloc(len + 1);
        msgpack_unpacked value;

        for (size_t i = 0; i < len; i++)
            data[i] = (char)(rand() % 4 == 0 ? 0x90 + rand() % 0x50 : rand());
        if (scan_all(data, len, &at) == RPC_WHOLE) {
            struct rpc_request request;
            struct err err;

            whole++;
            msgpack_unpacked_init(&value);
            disagreed +=
                msgpack_unpack_next(&value, data, at, &end) != MSGPACK_UNPACK_SUCCESS || end != at;
            requests += rpc_read_request(&value.data, &request, &err);
            msgpack_unpacked_destroy(&value);
        }
        free(data);
    }
    ok(whole > 10000, "%d values among random bytes", whole);
    is_int(disagreed, 0, "each ends where msgpack-c says");
    ok(requests < whole, "hardly any of them a request (%d)", requests);
}

static bool
read_back(const struct buf *b, msgpack_unpacked *value, struct rpc_request *request,
          struct err *err)
{
    size_t end = 0;

    msgpack_unpacked_init(value);
    return msgpack_unpack_next(value, b->data, b->len, &end) == MSGPACK_UNPACK_SUCCESS &&
           rpc_read_request(&value->data, request, err);
}

static void
test_request(void)
{
    AUTO(buf) struct buf b = {0};
    AUTO(buf) struct buf params = {0};
    struct rpc_request request;
    struct err err = {0};
    msgpack_unpacked value;
    msgpack_packer pk;

    rpc_packer(&pk, &params);
    msgpack_pack_array(&pk, 1);
    msgpack_pack_int(&pk, 5);
    rpc_pack_request(&b, 7, "scale", &params);
    ok(read_back(&b, &value, &request, &err), "a request can be read back: %s", err.text);
    is_int(request.id, 7, "its id");
    is_str(request.method, "scale", "its method");
    ok(request.params->size == 1 && rpc_int(&request.params->ptr[0], 0) == 5, "its parameters");
    msgpack_unpacked_destroy(&value);

    buf_clear(&b);
    rpc_packer(&pk, &b);
    msgpack_pack_array(&pk, 4);
    msgpack_pack_int(&pk, 0);
    msgpack_pack_int(&pk, 9);
    rpc_pack_text(&pk, "a method with a name that is much too long for any method");
    msgpack_pack_array(&pk, 0);
    ok(!read_back(&b, &value, &request, &err), "a method with an endless name is refused");
    is_int(request.id, 9, "but its id is known, so the refusal can be matched");
    msgpack_unpacked_destroy(&value);

    buf_clear(&b);
    rpc_pack_result(&b, 9, &params);
    ok(!read_back(&b, &value, &request, &err), "an answer is no request");
    msgpack_unpacked_destroy(&value);
}

static void
test_values(void)
{
    AUTO(buf) struct buf b = {0};
    msgpack_unpacked value;
    msgpack_packer pk;
    size_t end = 0;
    char text[4];

    rpc_packer(&pk, &b);
    msgpack_pack_map(&pk, 6);
    rpc_key_int(&pk, "minus", -3);
    rpc_key_uint(&pk, "huge", UINT64_MAX);
    rpc_key_bool(&pk, "yes", true);
    rpc_key_text(&pk, "text", "abcdef");
    rpc_key_nil(&pk, "nil");
    rpc_pack_text(&pk, "real");
    msgpack_pack_double(&pk, 1e300);
    msgpack_unpacked_init(&value);
    ok(msgpack_unpack_next(&value, b.data, b.len, &end) == MSGPACK_UNPACK_SUCCESS,
       "a map of everything");
    is_int(rpc_int(rpc_get(&value.data, "minus"), 0), -3, "a negative number");
    is_int(rpc_int(rpc_get(&value.data, "huge"), -1), -1, "what is no int64 is the fallback");
    is_int(rpc_int(rpc_get(&value.data, "real"), -1), -1, "nor is such a real");
    is_int(rpc_int(rpc_get(&value.data, "yes"), 0), 1, "a boolean");
    is_int(rpc_int(rpc_get(&value.data, "nil"), 5), 5, "nil is the fallback");
    is_int(rpc_int(rpc_get(&value.data, "none"), 6), 6, "so is what is not there");
    is_str(rpc_text(rpc_get(&value.data, "text"), text, sizeof(text)), "abc", "a text is cut");
    is_str(rpc_text(NULL, text, sizeof(text)), "", "nothing is an empty text");
    ok(rpc_get(rpc_get(&value.data, "minus"), "x") == NULL, "a number has no keys");
    msgpack_unpacked_destroy(&value);
}

int
main(void)
{
    test_scan();
    test_one_byte_at_a_time();
    test_random();
    test_request();
    test_values();
    return done_testing();
}
