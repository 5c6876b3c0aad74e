/*
 * Headers that say what a query is to answer: Accept, Accept-Profile, Prefer, Range.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/rest_query.h"

/* One element of a header that is a list, without blanks around it. */
struct part {
    const char *at;
    size_t len;
};

/* Up to the next separator, which *at is moved beyond; false: there is none left. */
static bool
next_part(const char **at, char separator, struct part *ret)
{
    const char *begin, *end;

    if (*at == NULL)
        return false;
    begin = *at + strspn(*at, " \t");
    end = strchr(begin, separator);
    *at = end != NULL ? end + 1 : NULL;
    ret->at = begin;
    ret->len = end != NULL ? (size_t)(end - begin) : strlen(begin);
    while (ret->len > 0 && (begin[ret->len - 1] == ' ' || begin[ret->len - 1] == '\t'))
        ret->len--;
    return true;
}

static bool
is(const struct part *part, const char *word)
{
    return part->len == strlen(word) && strncasecmp(part->at, word, part->len) == 0;
}

/* --- Accept ---------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    const char *type;
    bool single;
} types[] = {
    {"*/*", false},
    {"application/*", false},
    {"application/json", false},
    {"application/vnd.pgrst.array", false},
    {"application/vnd.pgrst.array+json", false},
    {"application/vnd.pgrst.object", true},
    {"application/vnd.pgrst.object+json", true},
};
/* clang-format on */

/* "application/vnd.pgrst.object+json;nulls=stripped" */
static bool
take_type(struct rest_query *q, const struct part *range)
{
    char text[100];
    const char *at = text;
    struct part type, parameter;

    if (range->len >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)range->len, range->at);
    next_part(&at, ';', &type);
    for (size_t i = 0; i < LENGTH(types); i++) {
        if (!is(&type, types[i].type))
            continue;
        q->single = types[i].single;
        while (next_part(&at, ';', &parameter))
            q->strips_nulls |= is(&parameter, "nulls=stripped");
        return true;
    }
    return false;
}

static void
read_accept(struct rest_query *q, const char *text)
{
    const char *at = text;
    struct part range;

    while (next_part(&at, ',', &range)) {
        if (take_type(q, &range))
            return;
    }
    rest_refuse(q, 406, "PGRST107", NULL, "None of these media types are available: %s",
                rest_shown(q, text));
}

/* --- the others ------------------------------------------------------------------------ */

static void
read_prefer(struct rest_query *q, const char *text)
{
    const char *at = text;
    struct part wish;

    /* What is exact is a good estimate. */
    while (next_part(&at, ',', &wish))
        q->counts |=
            is(&wish, "count=exact") || is(&wish, "count=planned") || is(&wish, "count=estimated");
}

/* Digits up to end; false: none, others, or too many for any table. */
static bool
read_row(const char *text, size_t len, int64_t *ret)
{
    int64_t row = 0;

    if (len == 0 || len > 15 || strspn(text, "0123456789") < len)
        return false;
    for (size_t i = 0; i < len; i++)
        row = row * 10 + (text[i] - '0');
    *ret = row;
    return true;
}

/* "0-9", "10-"; another one is not understood, which is no error by RFC 9110. */
static void
read_range(struct rest_query *q, const char *text)
{
    const char *dash = strchr(text, '-');
    int64_t first, last = INT64_MAX;

    if (dash == NULL || !read_row(text, (size_t)(dash - text), &first))
        return;
    if (dash[1] != '\0' && !read_row(dash + 1, strlen(dash + 1), &last))
        return;
    if (last < first) {
        rest_refuse(q, 416, "PGRST103",
                    "The lower boundary must be lower than or equal to the upper boundary in the "
                    "Range header.",
                    "Requested range not satisfiable");
        return;
    }
    q->range_first = first;
    q->range_last = last;
}

void
rest_query_headers(struct rest_query *q, const struct rest_headers *h)
{
    if (h->accept_profile != NULL && strcmp(h->accept_profile, "public") != 0)
        rest_refuse(q, 406, "PGRST106", NULL, "The schema must be one of the following: public");
    if (h->accept != NULL)
        read_accept(q, h->accept);
    if (h->prefer != NULL)
        read_prefer(q, h->prefer);
    if (h->range != NULL && (h->range_unit == NULL || strcasecmp(h->range_unit, "items") == 0))
        read_range(q, h->range);
}
