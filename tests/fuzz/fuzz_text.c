/* Times, sizes, numbers and identifiers as people write them; what may be printed and stored. */
#include "fuzz.h"

#include <inttypes.h>
#include <strings.h>

#include "base/text.h"
#include "base/uuid.h"

static void
numbers(const char *text)
{
    char back[32], whole[24];
    int64_t value, again;

    if (text_to_ms(text, &value)) {
        must(value >= 0);
        must(text_to_ms(text_from_ms(back, value), &again) && again == value);
        must(strlen(text_ago(back, value)) < sizeof(back) && is_clean(back));
    }
    if (text_to_bytes(text, &value)) {
        must(value >= 0);
        must(text_to_bytes(text_from_bytes(back, value), &again) && again == value);
    }
    if (text_to_int(text, &value)) {
        snprintf(whole, sizeof(whole), "%" PRId64, value);
        must(text_to_int(whole, &again) && again == value);
        must(text_ago(back, value)[0] != '\0');
    }
}

static void
identifier(const char *text)
{
    char back[UUID_TEXT_SIZE];
    struct uuid u;

    if (uuid_parse(text, &u))
        must(strcasecmp(uuid_text(back, &u), text) == 0);
}

static void
distance(const char *text, size_t half)
{
    char *a = xstrndup(text, half);
    const char *b = text + half;
    size_t d = text_distance(a, b);

    must(text_distance(b, b) == 0 || strlen(b) >= 128);
    if (strlen(a) < 128 && strlen(b) < 128) {
        must(d == text_distance(b, a));
        must(d <= (strlen(a) > strlen(b) ? strlen(a) : strlen(b)));
    }
    free(a);
}

static void
printable(const char *data, size_t len, size_t small)
{
    char *all = xmalloc(len * 4 + 1), *some = xmalloc(small + 1);

    text_printable(all, len * 4 + 1, data, len);
    must(is_clean(all));
    if (len > 0 && memchr(data, '\0', len) == NULL && is_utf8(data, len)) {
        char *copy = xstrndup(data, len);

        if (is_clean(copy))
            must(strcmp(all, copy) == 0);
        free(copy);
    }
    text_printable(some, small + 1, data, len);
    must(strlen(some) <= small && is_clean(some) && strncmp(some, all, strlen(some)) == 0);
    free(all);
    free(some);
}

static void
storable(const char *data, size_t len, size_t max)
{
    char *copy = xmalloc(len + 1);
    size_t cut;

    memcpy(copy, data, len);
    text_make_storable(copy, len);
    must(is_utf8(copy, len) && memchr(copy, '\0', len) == NULL);
    if (is_utf8(data, len) && memchr(data, '\0', len) == NULL)
        must(memcmp(copy, data, len) == 0);
    cut = text_utf8_cut(copy, len, max);
    must(cut <= len && cut <= max && is_utf8(copy, cut));
    must(cut == len || max - cut < 4);
    cut = text_utf8_cut(data, len, max);
    must(cut <= len && cut <= max);
    free(copy);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    size_t small = take_byte(&in), n = in.left;
    char *text;

    if (n > 0) {
        printable(in.at, n, small);
        storable(in.at, n, small);
    }
    text = take_text(&in);
    numbers(text);
    identifier(text);
    distance(text, small < n ? small : n);
    free(text);
}
