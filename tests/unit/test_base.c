/* The words everybody uses: arena, buffers, backoff, UUIDs, errors. */
#include <string.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/uuid.h"
#include "tap.h"

static void
test_backoff(void)
{
    struct backoff b = {.first_ms = 100, .max_ms = 30000, .healthy_ms = 10000};

    is_int(backoff_failed(&b, 5), 100, "the first failure waits the shortest time");
    is_int(backoff_failed(&b, 5), 200, "the second waits twice as long");
    for (int i = 0; i < 20; i++)
        backoff_failed(&b, 5);
    is_int(backoff_failed(&b, 5), 30000, "no wait is longer than the longest");
    is_int(backoff_failed(&b, 10000), 100, "ten healthy seconds are forgiven");
    is_int(backoff_for_attempt(5000, 3600000, 1), 5000,
           "the first retry waits about the first wait");
    is_int(backoff_for_attempt(5000, 3600000, 4), 40000, "each retry waits twice as long");
    is_int(backoff_for_attempt(5000, 3600000, 1000), 3600000,
           "a thousandth retry does not overflow");
    for (int i = 0; i < 100; i++) {
        int64_t half = backoff_jitter(1000), full = backoff_full_jitter(1000);

        if (half < 500 || half > 1000 || full < 0 || full > 1000)
            ok(false, "jitter stays in its bounds: %d, %d", (int)half, (int)full);
    }
    is_int(backoff_full_jitter(0), 0, "jitter of nothing is nothing");
}

static void
test_arena(void)
{
    struct arena a;
    char *first, *large;

    arena_init(&a);
    first = arena_strdup(&a, "first");
    for (int i = 0; i < 1000; i++)
        memset(arena_alloc(&a, 100), 'x', 100);
    large = arena_alloc(&a, 1 << 20);
    is_str(first, "first", "what was allocated first is still there after a thousand more");
    ok(large[0] == 0 && large[(1 << 20) - 1] == 0, "a large piece is zeroed");
    is_str(arena_printf(&a, "%s %d", "job", 4711), "job 4711", "text is formatted into the arena");
    is_int((uintptr_t)arena_alloc(&a, 1) % 16, 0, "everything is aligned");
    arena_release(&a);
    is_int(a.total_bytes, 0, "a released arena is empty");
}

static void
test_buf(void)
{
    AUTO(buf) struct buf b = {.data = NULL};

    is_str(buf_text(&b), "", "an empty buffer reads as an empty text");
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "%d,", i % 10);
    is_int(b.len, 200, "a buffer grows");
    buf_drop_front(&b, 198);
    is_str(buf_text(&b), "9,", "what is dropped from the front is gone");
    buf_clear(&b);
    buf_add(&b, "a\0b", 3);
    is_int(b.len, 3, "a buffer holds any bytes");
}

static void
test_uuid(void)
{
    struct uuid a = uuid_random(), b = uuid_random(), c;
    char text[UUID_TEXT_SIZE];

    ok(!uuid_equal(&a, &b), "two random UUIDs differ");
    uuid_text(text, &a);
    is_int(text[14], '4', "a random UUID has version 4");
    ok(uuid_parse(text, &c) && uuid_equal(&a, &c), "a UUID survives writing and reading");
    ok(!uuid_parse("4711", &c), "a number is no UUID");
    ok(!uuid_parse("00000000-0000-0000-0000-00000000000g", &c), "g is no hexadecimal digit");
    ok(!uuid_parse("00000000x0000-0000-0000-000000000000", &c), "dashes stand where they must");
}

static void
test_err(void)
{
    struct err err;

    ok(!err_set(&err, ERR_RETRY, "cannot %s", "claim"), "setting an error returns false");
    is_str(err.text, "cannot claim", "an error has its text");
    err_before(&err, "worker %d", 3);
    is_str(err.text, "worker 3: cannot claim", "what is higher up comes before it");
    is_int(err.class, ERR_RETRY, "the class stays");
    ok(!err_set(NULL, ERR_CONFIG, "nobody listens"), "an error nobody wants is fine");
}

int
main(void)
{
    test_backoff();
    test_arena();
    test_buf();
    test_uuid();
    test_err();
    return done_testing();
}
