#include "base/forget.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 1024
/* Larger ones are reserved, not used: the tables of a sanitizer. */
#define RANGE_MAX ((size_t)64 * 1024 * 1024)

struct range {
    unsigned char *begin, *end;
};

/* What is looked for, bitwise inverted: so it does not find itself. */
struct needle {
    unsigned char *inverted;
    size_t len;
};

struct search {
    struct needle needles[FORGET_MAX];
    size_t n;
    bool begins[256]; /* does one of them? */
};

/* --- where to look ---------------------------------------------------------------------- */

/* "55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0    [heap]": private, and to be written. */
static bool
read_range(const char *line, struct range *ret)
{
    char *rest;
    uintptr_t begin = strtoull(line, &rest, 16), end = strtoull(rest + 1, &rest, 16);

    *ret = (struct range){(unsigned char *)begin, (unsigned char *)end};
    return strncmp(rest, " rw-p ", 6) == 0 && end - begin <= RANGE_MAX;
}

static size_t
list_ranges(struct range *ret)
{
    AUTO(file) FILE *f = fopen("/proc/self/maps", "re");
    char line[512];
    size_t n = 0;

    while (f != NULL && n < RANGES_MAX && fgets(line, sizeof(line), f) != NULL)
        n += read_range(line, &ret[n]);
    return n;
}

/* --- looking ----------------------------------------------------------------------------- */

/* Freed memory and the room between objects is read on purpose: sanitizers look away. */
#define LOOKS_EVERYWHERE __attribute__((noinline, no_sanitize("address", "undefined")))

LOOKS_EVERYWHERE static bool
is_at(const struct needle *needle, const unsigned char *at)
{
    for (size_t i = 0; i < needle->len; i++) {
        if (at[i] != (unsigned char)~needle->inverted[i])
            return false;
    }
    return true;
}

LOOKS_EVERYWHERE static void
wipe(volatile unsigned char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = 0;
}

LOOKS_EVERYWHERE static void
search_range(const struct search *s, const struct range *range)
{
    for (unsigned char *at = range->begin; at < range->end; at++) {
        if (!s->begins[*at])
            continue;
        for (size_t i = 0; i < s->n; i++) {
            const struct needle *needle = &s->needles[i];

            if ((size_t)(range->end - at) >= needle->len && is_at(needle, at))
                wipe(at, needle->len);
        }
    }
}

static void
add_needle(struct search *s, const char *text)
{
    struct needle *needle = &s->needles[s->n++];

    needle->len = strlen(text);
    needle->inverted = xmalloc(needle->len);
    for (size_t i = 0; i < needle->len; i++)
        needle->inverted[i] = (unsigned char)~(unsigned char)text[i];
    s->begins[(unsigned char)text[0]] = true;
}

void
forget_texts(const char *const *texts, size_t n)
{
    static struct range ranges[RANGES_MAX];
    struct search s = {.n = 0};
    size_t n_ranges;

    for (size_t i = 0; i < n && s.n < FORGET_MAX; i++) {
        if (strlen(texts[i]) >= FORGET_LEN_MIN)
            add_needle(&s, texts[i]);
    }
    if (s.n == 0)
        return;
    n_ranges = list_ranges(ranges);
    for (size_t i = 0; i < n_ranges; i++)
        search_range(&s, &ranges[i]);
    for (size_t i = 0; i < s.n; i++) {
        explicit_bzero(s.needles[i].inverted, s.needles[i].len);
        free(s.needles[i].inverted);
    }
}

void
forget_variable(const char *name)
{
    char *value = getenv(name);

    if (value == NULL)
        return;
    wipe((volatile unsigned char *)value, strlen(value));
    unsetenv(name);
}
