/*
 * What the dashboard makes of figures, of filters, and of what the daemon says.
 */
#include <stdio.h>
#include <string.h>

#include "dashboard/assets.h"
#include "dashboard/daemon_json.h"
#include "dashboard/filter.h"
#include "dashboard/trend.h"
#include "queue/why.h"
#include "tap.h"

/* --- trend ------------------------------------------------------------------------------ */

static void
add(struct trend *t, int64_t at_ms, int64_t came, int64_t ended)
{
    trend_add(t, &(struct trend_point){.at_ms = at_ms, .came = came, .ended = ended});
}

static bool
rates_are(const struct trend *t, double finished, double enqueued)
{
    const struct trend_point *last = trend_last(t);
    double a = last->finished_per_s - finished, b = last->enqueued_per_s - enqueued;

    return a < 0.001 && a > -0.001 && b < 0.001 && b > -0.001;
}

static void
test_trend(void)
{
    AUTO(buf) struct buf json = {0};
    struct trend t = {.n = 0};

    ok(trend_last(&t) == NULL, "nothing has been seen yet");
    add(&t, 1000, 500, 100);
    ok(rates_are(&t, -1, -1), "one look has no rates");
    add(&t, 2000, 510, 120);
    ok(rates_are(&t, 20, 10), "two have");
    for (int64_t s = 3; s <= 100; s++)
        add(&t, s * 1000, 510, 120);
    ok(rates_are(&t, 0, 0), "what is older than the window does not count");
    add(&t, 101000, 510, 20);
    ok(rates_are(&t, 0, 0), "jobs that are queued again are no negative rate");
    for (int64_t s = 102; s <= 1000; s++)
        add(&t, s * 1000, 10 * s, 5 * s);
    ok(t.n == TREND_POINTS && trend_last(&t)->at_ms == 1000000, "five minutes are kept");
    ok(rates_are(&t, 5, 10), "also when the ring is full");
    trend_history_json(&t, &json);
    ok(strncmp(json.data, "[{\"at\":\"1970-01-01T00:11:41Z\",", 30) == 0, "the oldest is first");
    buf_clear(&json);
    trend_rates_json(&t, &json);
    ok(strcmp(json.data, "{\"finished_per_s\":5.0,\"failed_per_s\":0.0,\"enqueued_per_s\":10.0}") ==
           0,
       "rates are JSON");
    add(&t, 1001000, 3, 1);
    ok(t.n == 1 && rates_are(&t, -1, -1), "counters that were reset begin anew");
    add(&t, 1001000 + TREND_GAP_MS + 1, 30, 10);
    ok(t.n == 1, "so does what nobody has looked at for long");
    buf_clear(&json);
    trend_rates_json(&t, &json);
    ok(strstr(json.data, "\"finished_per_s\":null") != NULL, "what is not known is null");
}

/* --- filters ---------------------------------------------------------------------------- */

/* "name", "value", ..., NULL. */
static const char *
from_list(void *from, const char *name)
{
    const char *const *list = from;

    for (; *list != NULL; list += 2) {
        if (strcmp(list[0], name) == 0)
            return list[1];
    }
    return NULL;
}

static bool
reads(const char *name, const char *value)
{
    const char *list[] = {name, value, NULL};
    struct filter f;
    struct err err;

    return filter_read(&f, from_list, list, &err);
}

static void
test_filter(void)
{
    const char *list[] = {"state", "failed", "kind", "mail", "queue", "", "id", "42", NULL};
    struct filter f;
    struct params p;
    struct err err;
    char longer[600];

    ok(filter_read(&f, from_list, list, &err), "a filter");
    ok(strcmp(f.state, "failed") == 0 && strcmp(f.kind, "mail") == 0 && f.id == 42,
       "is what was said");
    ok(f.queue == NULL && !f.has_batch && f.text == NULL, "what is empty or not there is any");
    params_init(&p);
    filter_params(&f, &p);
    ok(p.n == 9 && p.values[2] == NULL && p.values[8] != NULL, "and nine parameters");
    params_release(&p);
    ok(!reads("state", "nonsense") && !reads("id", "x") && !reads("id", "0") && !reads("id", "-5"),
       "what cannot be meant is refused");
    ok(!reads("batch", "x") && !reads("user", "'; drop table x; --"), "UUIDs are UUIDs");
    ok(reads("since", "2026-01-31T12:00:00.5+01:00") && reads("until", "2026-01-31") &&
           !reads("since", "infinity") && !reads("until", "2026'"),
       "times look like times");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    ok(!reads("text", longer) && reads("text", "x' or 1=1 --"),
       "a text is any, but for its length");
    ok(filter_knows("user") && !filter_knows("usr"), "a misspelt name is known as one");
}

/* --- the daemon's words ------------------------------------------------------------------- */

static void
pack_words(msgpack_packer *pk)
{
    msgpack_pack_map(pk, 6);
    rpc_key_text(pk, "name", "a \"b\"\n");
    rpc_key_int(pk, "n", -5);
    rpc_key_bool(pk, "yes", true);
    rpc_key_nil(pk, "no");
    rpc_pack_text(pk, "list");
    msgpack_pack_array(pk, 1);
    msgpack_pack_int(pk, 1);
    rpc_pack_text(pk, "map");
    msgpack_pack_map(pk, 1);
    rpc_pack_text(pk, "inner");
    msgpack_pack_array(pk, 2);
    msgpack_pack_int(pk, 1);
    rpc_pack_text(pk, "\xff");
}

static void
test_daemon(void)
{
    AUTO(buf) struct buf packed = {0};
    AUTO(buf) struct buf json = {0};
    msgpack_unpacked value;
    msgpack_packer pk;

    rpc_packer(&pk, &packed);
    pack_words(&pk);
    msgpack_unpacked_init(&value);
    if (msgpack_unpack_next(&value, packed.data, packed.len, NULL) == MSGPACK_UNPACK_SUCCESS)
        daemon_json(&value.data, &json);
    ok(strcmp(buf_text(&json), "{\"name\":\"a \\\"b\\\"\\n\",\"n\":-5,\"yes\":true,\"no\":null}") ==
           0,
       "what the daemon says is JSON, without the long lists");
    buf_clear(&json);
    daemon_json(&value.data.via.map.ptr[5].val.via.map.ptr[0].val, &json);
    ok(strcmp(buf_text(&json), "[1,\"(not UTF-8)\"]") == 0, "what is no UTF-8 is said to be none");
    msgpack_unpacked_destroy(&value);
}

/* --- why -------------------------------------------------------------------------------- */

static void
field(UNUSED void *facts, const char *name, struct buf *sink)
{
    buf_printf(sink, "<%s>", name);
}

static void
test_why(void)
{
    AUTO(buf) struct buf text = {0};
    AUTO(buf) struct buf advice = {0};

    ok(why_explain("retry_wait", "timeout", field, NULL, &text, &advice), "a reason is explained");
    ok(strstr(text.data, "until <due_at>") != NULL &&
           strstr(text.data, "its handler took longer than it may: <last_error>") != NULL,
       "with its facts and the cause");
    ok(strstr(advice.data, "timeout may be too short; pgcrew job log <id>") != NULL, "and advice");
    ok(!why_explain("nonsense", "", field, NULL, &text, &advice), "not one that is not known");
    ok(why_tone("busy") == WHY_WAITS && why_tone("failed") == WHY_WRONG, "each has its tone");
}

/* --- pages ------------------------------------------------------------------------------- */

static void
test_assets(void)
{
    const struct asset *page = asset_find("index.html"), *style = asset_find("style.css");
    char tag[ASSET_TAG_SIZE], other[ASSET_TAG_SIZE], list[ASSET_TAG_SIZE + 16];

    ok(page != NULL && style != NULL && asset_find("") == NULL && asset_find("../x") == NULL,
       "files are found by their names");
    ok(strcmp(asset_type(page), "text/html; charset=utf-8") == 0, "and have types");
    asset_tag(tag, page);
    snprintf(list, sizeof(list), "\"x\", W/%s", tag);
    ok(strcmp(tag, asset_tag(other, style)) != 0, "other bytes have another tag");
    ok(asset_is_known(tag, tag) && asset_is_known(list, tag) && asset_is_known("*", tag) &&
           !asset_is_known(other, tag) && !asset_is_known(NULL, tag),
       "a browser says which it has");
}

int
main(void)
{
    test_trend();
    test_filter();
    test_daemon();
    test_why();
    test_assets();
    return done_testing();
}
