#include "handler/result.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Shown of a result that is too long.  One byte more tells whether the last character is whole. */
#define HEAD_BYTES 1024
#define HEAD_KEPT (HEAD_BYTES + 1)
/*
 * jsonb numbers are numerics with at most 16383 digits after the point, and jansson
 * takes "1e-99999" for 0.  It refuses by itself what is too large for a double.
 */
#define MOST_FRACTION_DIGITS 16000

void
result_add(struct result *r, const char *data, size_t len)
{
    struct buf head = {.data = NULL};

    r->total_bytes += (int64_t)len;
    if (r->truncated)
        return;
    if (r->kept.len + len <= r->max_bytes) {
        buf_add(&r->kept, data, len);
        return;
    }
    r->truncated = true;
    buf_add(&head, buf_text(&r->kept), r->kept.len < HEAD_KEPT ? r->kept.len : HEAD_KEPT);
    buf_add(&head, data, len < HEAD_KEPT - head.len ? len : HEAD_KEPT - head.len);
    buf_release(&r->kept);
    r->kept = head;
}

void
result_release(struct result *r)
{
    buf_release(&r->kept);
}

static const char *
skip_string(const char *p)
{
    for (p++; *p != '"'; p++) {
        if (*p == '\\')
            p++;
    }
    return p + 1;
}

/* One number of valid JSON. */
static bool
is_number_storable(const char *p, const char **ret_end)
{
    long fraction = 0, exponent = 0;

    if (*p == '-')
        p++;
    while (isdigit((unsigned char)*p))
        p++;
    if (*p == '.') {
        for (p++; isdigit((unsigned char)*p); p++)
            fraction++;
    }
    if (*p == 'e' || *p == 'E') {
        char *end;

        exponent = strtol(p + 1, &end, 10); /* LONG_MIN and LONG_MAX are far out too */
        p = end;
    }
    *ret_end = p;
    return fraction <= MOST_FRACTION_DIGITS && exponent <= MOST_FRACTION_DIGITS &&
           exponent >= fraction - MOST_FRACTION_DIGITS;
}

static bool
are_numbers_storable(const char *json)
{
    for (const char *p = json; *p != '\0';) {
        if (*p == '"')
            p = skip_string(p);
        else if (*p != '-' && !isdigit((unsigned char)*p))
            p++;
        else if (!is_number_storable(p, &p))
            return false;
    }
    return true;
}

/*
 * \u0000, half surrogate pairs and broken UTF-8 are refused by jansson as they are by jsonb;
 * a NUL after a number it reads over.
 */
static bool
is_storable_json(const char *text, size_t len)
{
    json_t *json;

    if (memchr(text, '\0', len) != NULL)
        return false;
    json = json_loadb(text, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    json_decref(json);
    return json != NULL && are_numbers_storable(text);
}

static char *
dump(json_t *json, struct arena *arena)
{
    AUTO(mem) char *text = json_dumps(json, JSON_ENCODE_ANY);

    json_decref(json);
    return text != NULL ? arena_strdup(arena, text) : NULL;
}

char *
result_json(struct result *r, struct arena *arena)
{
    struct buf *kept = &r->kept;

    if (r->truncated) {
        kept->len = text_utf8_cut(buf_text(kept), kept->len, HEAD_BYTES);
        text_make_storable(kept->data, kept->len);
        return dump(json_pack("{s:b, s:I, s:s%}", "pgcrew_truncated", 1, "bytes",
                              (json_int_t)r->total_bytes, "head", kept->data, kept->len),
                    arena);
    }
    while (kept->len > 0 && isspace((unsigned char)kept->data[kept->len - 1]))
        kept->data[--kept->len] = '\0';
    if (kept->len == 0)
        return NULL;
    if (is_storable_json(kept->data, kept->len))
        return arena_memdup(arena, kept->data, kept->len);
    text_make_storable(kept->data, kept->len);
    return dump(json_stringn(kept->data, kept->len), arena);
}
