/* A handler's stdout becomes JSON that PostgreSQL takes. */
#include "fuzz.h"

#include <jansson.h>

#include "handler/result.h"

static void
must_be_json(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);

    must(json != NULL && is_utf8(text, strlen(text)));
    json_decref(json);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    size_t piece = (size_t)take_byte(&in) + 1;
    struct result r = {.max_bytes = (size_t)take_byte(&in) * 64};
    struct arena a;
    char *json;

    arena_init(&a);
    for (size_t at = 0; at < in.left; at += piece)
        result_add(&r, in.at + at, piece < in.left - at ? piece : in.left - at);
    must(r.total_bytes == (int64_t)in.left);
    must(r.truncated == (in.left > r.max_bytes));
    json = result_json(&r, &a);
    must(json != NULL || !r.truncated);
    if (json != NULL)
        must_be_json(json);
    must(!r.truncated || strstr(json, "\"pgcrew_truncated\"") != NULL);
    result_release(&r);
    arena_release(&a);
}
