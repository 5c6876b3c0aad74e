/* Frames between pgcrew and its programs: taken apart, put together, and broken in every way. */
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "handler/serve_frame.h"
#include "tap.h"

#define MOST 4096

/* A body, written as hex digits with text between single quotes: "92 a3'log' c0". */
struct body {
    size_t len;
    char data[MOST];
};

static struct body
body_of(const char *text)
{
    struct body b = {.len = 0};
    unsigned byte;

    while (*text != '\0') {
        if (*text == '\'') {
            for (text++; *text != '\''; text++)
                b.data[b.len++] = *text;
            text++;
        } else if (*text == ' ') {
            text++;
        } else {
            sscanf(text, "%2x", &byte);
            b.data[b.len++] = (char)byte;
            text += 2;
        }
    }
    return b;
}

static bool
same(double a, double b)
{
    return !(a < b) && !(a > b);
}

/* In memory that ends where the body ends, so that the sanitizer sees a read beyond. */
static bool
read_exactly(const char *data, size_t len, struct serve_frame *ret, struct err *err)
{
    char *copy = malloc(len > 0 ? len : 1);
    bool good;

    if (len > 0)
        memcpy(copy, data, len);
    good = serve_read(copy, len, ret, err);
    free(copy);
    return good;
}

static bool
reads(const char *text, struct serve_frame *ret)
{
    static struct body b; /* the texts of *ret point into it */
    struct err err;

    b = body_of(text);
    if (serve_read(b.data, b.len, ret, &err))
        return true;
    printf("# %s\n", err.text);
    return false;
}

/* clang-format off */
static const char *const good[] = {
    "92 a5'hello' 81 a7'version' 01",
    "92 a5'hello' 84 a7'version' 01 a4'name' a5'thumb' a9'in_flight' cd 0100 a9'heartbeat' c3",
    "94 a8'progress' 07 cb 4045400000000000 a8'resizing'",
    "94 a8'progress' 07 c0 c0",
    "93 a8'progress' 07 18",
    "93 a3'log' 07 a2'hi'",
    "93 a3'log' c0 c4 02 'hi'",
    "92 a9'heartbeat' d3 0000000100000000",
    "93 a6'result' cf 0000000000000007 a2'42'",
    "93 a6'result' 07 c0",
    "92 a6'result' 07",
    "93 a7'failure' 07 80",
    "93 a7'failure' 07 83 a5'error' a3'bad' a5'again' a6'snooze' a7'wait_ms' cd 1388",
};
/* clang-format on */

static void
test_good(void)
{
    struct serve_frame f;

    ok(reads(good[0], &f) && f.type == SERVE_HELLO && f.version == 1 && f.in_flight == 1 &&
           !f.heartbeat && f.text.data == NULL,
       "a short hello has its defaults");
    ok(reads(good[1], &f) && f.in_flight == 256 && f.heartbeat && f.text.len == 5, "a long one");
    ok(reads(good[2], &f) && f.type == SERVE_PROGRESS && f.job == 7 &&
           same((double)f.percent, 42.5) && f.text.len == 8 &&
           memcmp(f.text.data, "resizing", 8) == 0,
       "progress with both");
    ok(reads(good[3], &f) && f.percent < 0 && f.text.data == NULL, "with neither");
    ok(reads(good[4], &f) && same((double)f.percent, 24),
       "with a whole number, and without a note");
    ok(reads(good[5], &f) && f.type == SERVE_LOG && f.job == 7 && f.text.len == 2,
       "a line of a job");
    ok(reads(good[6], &f) && f.job == -1 && memcmp(f.text.data, "hi", 2) == 0,
       "a line of none; bin is text");
    ok(reads(good[7], &f) && f.type == SERVE_HEARTBEAT && f.number == (int64_t)1 << 32,
       "a heartbeat");
    ok(reads(good[8], &f) && f.type == SERVE_RESULT && f.job == 7 && f.text.len == 2, "a result");
    ok(reads(good[9], &f) && f.text.data == NULL, "none");
    ok(reads(good[10], &f) && f.text.data == NULL, "none at all");
    ok(reads(good[11], &f) && f.type == SERVE_FAILURE && f.again == SERVE_RETRY &&
           f.wait_ms == -1 && f.text.data == NULL,
       "a failure has its defaults");
    ok(reads(good[12], &f) && f.again == SERVE_SNOOZE && f.wait_ms == 5000 && f.text.len == 3,
       "a failure that says all");
    ok(reads("93 a7'failure' 07 81 a7'wait_ms' cf ffffffffffffffff", &f) &&
           f.wait_ms == (int64_t)30 * 24 * 3600 * 1000,
       "a wait has a limit");
    ok(reads("93 a8'progress' 07 ca 7fc00000", &f) && f.percent < 0, "NaN is no number");
    ok(reads("93 a8'progress' 07 cb 7ff0000000000000", &f) && same((double)f.percent, 100),
       "too much is 100");
    ok(reads("93 a8'progress' 07 d0 80", &f) && same((double)f.percent, 0), "too little is 0");
}

static void
test_later_versions(void)
{
    struct serve_frame f;

    ok(reads("95 a6'result' 07 c0 81 01 92 c0 c0 c7 02 05 'xx'", &f), "more elements are ignored");
    ok(reads("92 a5'hello' 84 a7'version' 01 92 01 02 c0 81 01 02 93 c0 c0 c0 a1'x' 81 c0 c0",
             &f) &&
           f.version == 1,
       "more pairs are, whatever they are");
    ok(reads("92 a5'hello' 83 01 02 a7'version' 01 a4'name' c0", &f), "before others, too");
}

/* clang-format off */
static const struct {
    const char *body, *error;
} bad[] = {
    {"",                               "a frame: it ends within a value"},
    {"c1",                             "a frame: it is not msgpack"},
    {"c0",                             "a frame is no array"},
    {"a5'hello'",                      "a frame is no array"},
    {"81 a1'a' 01",                    "a frame is no array"},
    {"90",                             "a frame is empty"},
    {"91 01",                          "a frame does not begin with its type, a text"},
    {"91 c1",                          "a frame: it is not msgpack"},
    {"91 a5'hell'",                    "a frame: it ends within a value"},
    {"91 a5'hallo'",                   "a frame has the unknown type 'hallo'"},
    {"91 a3'job'",                     "a frame has the unknown type 'job'"},
    {"dd ffffffff a3'log' c0 a1'x'",   "frame 'log': it ends within a value"},
    {"dd ffffffff",                    "a frame: it ends within a value"},
    {"93 a3'log' c0 db ffffffff",      "frame 'log': it ends within a value"},
    {"93 a3'log' c0 a1'x' c0",         "frame 'log': more than one value is in it"},
    {"94 a3'log' c0 a1'x' c1",         "frame 'log': it is not msgpack"},
    {"91 a3'log'",                     "frame 'log': its second element must be the number of a job"},
    {"93 a3'log' a1'1' a1'x'",         "frame 'log': its second element must be the number of a job"},
    {"93 a3'log' ff a1'x'",            "frame 'log': its second element must be the number of a job"},
    {"92 a3'log' c0",                  "frame 'log': its third element must be text"},
    {"93 a3'log' c0 c0",               "frame 'log': its third element must be text"},
    {"93 a6'result' c0 c0",            "frame 'result': its second element must be the number of a job"},
    {"93 a6'result' ca 3f800000 c0",   "frame 'result': its second element must be the number of a job"},
    {"93 a6'result' 01 01",            "frame 'result': its third element must be text or nil"},
    {"93 a6'result' 01 80",            "frame 'result': its third element must be text or nil"},
    {"92 a7'failure' 01",              "frame 'failure': its third element must be a map"},
    {"93 a7'failure' 01 a1'x'",        "frame 'failure': its third element must be a map"},
    {"93 a7'failure' 01 81 a5'error' 01", "frame 'failure': 'error' must be text"},
    {"93 a7'failure' 01 81 a5'again' a1'x'", "frame 'failure': 'again' must be \"retry\", \"never\" or \"snooze\""},
    {"93 a7'failure' 01 81 a7'wait_ms' ff",  "frame 'failure': 'wait_ms' must be a number from 0"},
    {"93 a7'failure' 01 81 a7'wait_ms' ca 7fc00000", "frame 'failure': 'wait_ms' must be a number from 0"},
    {"93 a7'failure' 01 81 a5'error'", "frame 'failure': it ends within a value"},
    {"93 a7'failure' 01 df ffffffff",  "frame 'failure': it ends within a value"},
    {"91 a9'heartbeat'",               "frame 'heartbeat': its second element must be a number"},
    {"92 a9'heartbeat' a1'1'",         "frame 'heartbeat': its second element must be a number"},
    {"92 a8'progress' 01",             "frame 'progress': a percentage (a number or nil) and a note (text or nil) must follow"},
    {"93 a8'progress' 01 a2'42'",      "frame 'progress': a percentage (a number or nil) and a note (text or nil) must follow"},
    {"94 a8'progress' 01 c0 01",       "frame 'progress': a percentage (a number or nil) and a note (text or nil) must follow"},
    {"91 a5'hello'",                   "frame 'hello': its second element must be a map"},
    {"92 a5'hello' 01",                "frame 'hello': its second element must be a map"},
    {"92 a5'hello' 80",                "frame 'hello': it has no 'version'"},
    {"92 a5'hello' 81 a7'version' 02", "frame 'hello': version 2 is not spoken here, only 1"},
    {"92 a5'hello' 81 a7'version' ff", "frame 'hello': 'version' must be a number"},
    {"92 a5'hello' 81 a7'version' a1'1'", "frame 'hello': 'version' must be a number"},
    {"92 a5'hello' 82 a7'version' 01 a4'name' 01", "frame 'hello': 'name' must be text"},
    {"92 a5'hello' 82 a7'version' 01 a9'in_flight' 00", "frame 'hello': 'in_flight' must be a number from 1"},
    {"92 a5'hello' 82 a7'version' 01 a9'heartbeat' 01", "frame 'hello': 'heartbeat' must be true or false"},
};
/* clang-format on */

static void
test_bad(void)
{
    for (size_t i = 0; i < LENGTH(bad); i++) {
        struct body b = body_of(bad[i].body);
        struct serve_frame f;
        struct err err = {.text = "it was read"};

        ok(!read_exactly(b.data, b.len, &f, &err), "%s is refused", bad[i].body);
        is_str(err.text, bad[i].error, "and said why");
    }
}

/* Nothing that is cut short is good, nothing that is changed does harm. */
static void
test_broken(void)
{
    unsigned random = 1, n_cut = 0, n_changed = 0;
    struct serve_frame f;
    struct err err;

    for (size_t i = 0; i < LENGTH(good); i++) {
        struct body b = body_of(good[i]);

        for (size_t len = 0; len < b.len; len++)
            n_cut += read_exactly(b.data, len, &f, &err);
        for (int round = 0; round < 20000; round++) {
            struct body changed = b;

            for (int n = 0; n < 1 + round % 3; n++) {
                random = random * 1103515245 + 12345;
                changed.data[(random >> 8) % b.len] = (char)(random >> 20);
            }
            n_changed += read_exactly(changed.data, changed.len, &f, &err);
        }
    }
    is_int(n_cut, 0, "a frame that is cut anywhere is refused");
    ok(n_changed > 0, "frames with changed bytes do no harm (%u were good)", n_changed);
}

static void
test_bombs(void)
{
    static char nested[1 << 20];
    struct serve_frame f;
    struct err err;

    memset(nested, (char)0x91, sizeof(nested));
    ok(!read_exactly(nested, sizeof(nested), &f, &err), "a million arrays, each in another");
    memcpy(nested, "\x94\xa6result\x07\xc0", 10);
    nested[sizeof(nested) - 1] = (char)0xc0;
    ok(read_exactly(nested, sizeof(nested), &f, &err), "even where they may be ignored");
    memset(nested + 10, (char)0xdf, sizeof(nested) - 10);
    ok(!read_exactly(nested, sizeof(nested), &f, &err), "maps that say they are endless");
}

static void
test_cut(void)
{
    size_t body = 99;

    is_int(serve_cut("", 0, 100, &body), SERVE_MORE, "no bytes are no frame");
    is_int(serve_cut("\0\0\0", 3, 100, &body), SERVE_MORE, "nor is half a length");
    is_int(serve_cut("\0\0\0\2x", 5, 100, &body), SERVE_MORE, "nor half a body");
    is_int(serve_cut("\0\0\0\2xy", 6, 100, &body), SERVE_WHOLE, "this is one");
    is_int(body, 2, "of this length");
    is_int(serve_cut("\0\0\0\2xyz", 7, 100, &body), SERVE_WHOLE, "what follows does not matter");
    is_int(serve_cut("\0\0\0\0", 4, 100, &body), SERVE_BAD, "an empty one is bad");
    is_int(serve_cut("\0\0\0\144", 4, 100, &body), SERVE_MORE, "the longest is not");
    is_int(serve_cut("\0\0\0\145", 4, 100, &body), SERVE_BAD, "a longer one is, at once");
    is_int(serve_cut("\377\377\377\377", 4, 100, &body), SERVE_BAD, "so is a huge one");
    is_int(body, 0xffffffff, "and its length is said");
}

/* --- writing ------------------------------------------------------------------------------- */

static void
wrote(struct buf *out, const char *text, const char *what)
{
    struct body b = body_of(text);
    size_t body = 0;

    ok(serve_cut(buf_text(out), out->len, MOST, &body) == SERVE_WHOLE && body + 4 == out->len,
       "%s is one frame", what);
    ok(body == b.len && memcmp(out->data + 4, b.data, b.len) == 0, "%s is as it should be", what);
    buf_clear(out);
}

static void
test_writing(void)
{
    const struct serve_terms terms = {
        .kind = "mail", .in_flight = 4, .payload_max = 1 << 24, .result_max = 1 << 20};
    const struct job job = {.id = 4711,
                            .token = 123,
                            .kind = "mail",
                            .queue = "default",
                            .attempt = 1,
                            .max_attempts = 5,
                            .batch_id = "",
                            .user_id = "",
                            .payload = "{}",
                            .payload_len = 2};
    struct buf out = {.data = NULL};

    serve_put_hello(&out, &terms);
    wrote(&out,
          "92 a5'hello' 85 a7'version' 01 a4'kind' a4'mail' a9'in_flight' 04 "
          "ab'payload_max' ce 01000000 aa'result_max' ce 00100000",
          "hello");
    serve_put_job(&out, 1, &job, 600000, "00-1-2-01");
    wrote(&out,
          "94 a3'job' 01 8a a2'id' cd 1267 a4'kind' a4'mail' a5'queue' a7'default' "
          "a7'attempt' 01 ac'max_attempts' 05 a8'batch_id' a0 a7'user_id' a0 a5'token' 7b "
          "aa'timeout_ms' ce 000927c0 ab'traceparent' a9'00-1-2-01' a2'{}'",
          "job");
    serve_put_cancel(&out, 300, "timeout");
    wrote(&out, "93 a6'cancel' cd 012c a7'timeout'", "cancel");
    serve_put_heartbeat(&out, 1);
    wrote(&out, "92 a9'heartbeat' 01", "heartbeat");
    serve_put_drain(&out);
    wrote(&out, "91 a5'drain'", "drain");
    buf_release(&out);
}

/* --- values ---------------------------------------------------------------------------------- */

static void
test_values(void)
{
    /* clang-format off */
    static const struct {
        const char *body;
        enum pack_type type;
        int64_t number; /* or length, or elements */
        double real;
    } rows[] = {
        {"00", PACK_INT, 0, 0},              {"7f", PACK_INT, 127, 127},
        {"ff", PACK_INT, -1, -1},            {"e0", PACK_INT, -32, -32},
        {"cc ff", PACK_INT, 255, 255},       {"cd ffff", PACK_INT, 65535, 65535},
        {"ce ffffffff", PACK_INT, UINT32_MAX, UINT32_MAX},
        {"cf 0000000100000000", PACK_INT, (int64_t)1 << 32, 4294967296},
        {"cf ffffffffffffffff", PACK_INT, INT64_MAX, 9223372036854775807.},
        {"d0 80", PACK_INT, -128, -128},     {"d1 8000", PACK_INT, -32768, -32768},
        {"d2 80000000", PACK_INT, INT32_MIN, INT32_MIN},
        {"d3 8000000000000000", PACK_INT, INT64_MIN, -9223372036854775808.},
        {"ca 3fc00000", PACK_REAL, 0, 1.5},  {"cb 3ff8000000000000", PACK_REAL, 0, 1.5},
        {"c0", PACK_NIL, 0, 0},              {"c2", PACK_BOOL, 0, 0},
        {"c3", PACK_BOOL, 1, 0},             {"a2'ab'", PACK_TEXT, 2, 0},
        {"d9 02'ab'", PACK_TEXT, 2, 0},      {"da 0002'ab'", PACK_TEXT, 2, 0},
        {"db 00000002'ab'", PACK_TEXT, 2, 0}, {"c4 02'ab'", PACK_TEXT, 2, 0},
        {"c5 0002'ab'", PACK_TEXT, 2, 0},    {"c6 00000002'ab'", PACK_TEXT, 2, 0},
        {"93", PACK_ARRAY, 3, 0},            {"dc 0100", PACK_ARRAY, 256, 0},
        {"dd 00010000", PACK_ARRAY, 65536, 0}, {"83", PACK_MAP, 3, 0},
        {"de 0100", PACK_MAP, 256, 0},       {"df 00010000", PACK_MAP, 65536, 0},
        {"d4 01'a'", PACK_EXT, 0, 0},        {"d8 01'abcdefghijklmnop'", PACK_EXT, 0, 0},
        {"c7 02 01'ab'", PACK_EXT, 0, 0},    {"c9 00000002 01'ab'", PACK_EXT, 0, 0},
    };
    /* clang-format on */

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct body b = body_of(rows[i].body);
        struct pack_reader r = {b.data, b.data + b.len}, half = {b.data, b.data + b.len - 1};
        struct pack_value v = {.type = PACK_NIL};
        bool whole = pack_next(&r, &v) == PACK_WHOLE && r.at == r.end && v.type == rows[i].type;
        int64_t number = v.type == PACK_TEXT                          ? (int64_t)v.len
                         : v.type == PACK_ARRAY || v.type == PACK_MAP ? (int64_t)v.n
                                                                      : v.number;

        ok(whole && number == rows[i].number && same(v.real, rows[i].real), "%s is read",
           rows[i].body);
        ok(pack_next(&half, &v) == PACK_MORE, "a byte less is not enough");
    }
}

int
main(void)
{
    test_values();
    test_good();
    test_later_versions();
    test_bad();
    test_broken();
    test_bombs();
    test_cut();
    test_writing();
    return done_testing();
}
