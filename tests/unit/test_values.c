/* JSON from outside, and the daemon's answers as JSON. */
#include "cli/values.h"
#include "metrics/facts.h"

#include "tap.h"

static void
parsing(void)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "line 1"},
        {"{", "line 1, column 1"},
        {"{\"a\":1,}", "column 8"},
        {"[1]\n]", "line 2, column 1"},
        {"nul", "column 3"},
        {"\"\xff\"", "byte 0xff"},
        {"{'a':1}", "column 2"},
    };
    static const char *const good[] = {
        "1", "null", "\"\"", "[]", " {} ", "123456789012345678901234", "{\"a\":{\"a\":[true]}}"};
    struct err err;

    for (size_t i = 0; i < LENGTH(bad); i++) {
        ok(!value_parse(bad[i].text, strlen(bad[i].text), NULL, &err), "'%s' is not JSON",
           i == 5 ? "(a broken byte)" : bad[i].text);
        has_str(err.text, bad[i].why, "and it is said where");
    }
    for (size_t i = 0; i < LENGTH(good); i++)
        ok(value_parse(good[i], strlen(good[i]), NULL, &err), "'%s' is JSON", good[i]);
    ok(!value_parse("[1\0, 2]", 7, NULL, &err), "a NUL after a number is refused");
}

/* Nobody's stack overflows by what somebody sends. */
static void
depth(void)
{
    struct buf deep = {0};
    struct err err;

    for (int i = 0; i < 100000; i++)
        buf_add_text(&deep, "[");
    ok(!value_parse(buf_text(&deep), deep.len, NULL, &err), "arrays without end are refused");
    buf_release(&deep);
}

static void
from_daemon(void)
{
    struct buf packed = {0};
    msgpack_packer pk;
    msgpack_unpacked unpacked;
    size_t at = 0;
    json_t *value;

    rpc_packer(&pk, &packed);
    msgpack_pack_map(&pk, 5);
    rpc_key_text(&pk, "name", "host");
    rpc_key_int(&pk, "low", -7);
    rpc_key_nil(&pk, "none");
    rpc_key_bool(&pk, "yes", true);
    rpc_pack_text(&pk, "list");
    msgpack_pack_array(&pk, 2);
    msgpack_pack_double(&pk, 1.5);
    msgpack_pack_str_with_body(&pk, "\xff", 1);
    msgpack_unpacked_init(&unpacked);
    if (!ok(msgpack_unpack_next(&unpacked, packed.data, packed.len, &at) == MSGPACK_UNPACK_SUCCESS,
            "an answer"))
        return;
    value = facts_from_msgpack(&unpacked.data);
    is_str(value_text(value, "name"), "host", "has texts");
    is_int(value_int(value, "low"), -7, "numbers");
    ok(!value_is_set(value, "none") && !value_is_set(value, "absent"), "nulls");
    ok(json_is_true(json_object_get(value, "yes")), "booleans");
    is_int(json_array_size(json_object_get(value, "list")), 2, "arrays");
    ok(json_is_string(json_array_get(json_object_get(value, "list"), 1)),
       "and a text that is not UTF-8 is still one");
    json_decref(value);
    msgpack_unpacked_destroy(&unpacked);
    buf_release(&packed);
}

int
main(void)
{
    parsing();
    depth();
    from_daemon();
    return done_testing();
}
