#include "gateway/rest_query.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "gateway/rest_list.h"

#define SHOWN_MAX 120

void
rest_query_begin(struct rest_query *q, struct arena *arena)
{
    *q = (struct rest_query){.arena = arena, .limit = INT64_MAX, .range_last = INT64_MAX};
}

void
rest_refuse(struct rest_query *q, int status, const char *code, const char *details,
            const char *message, ...)
{
    char text[512];
    va_list args;

    if (q->refused.status != 0)
        return;
    va_start(args, message);
    vsnprintf(text, sizeof(text), message, args);
    va_end(args);
    q->refused = (struct rest_refusal){.status = status,
                                       .code = code,
                                       .message = arena_strdup(q->arena, text),
                                       .details = details};
}

const char *
rest_shown(struct rest_query *q, const char *text)
{
    char *shown = arena_alloc(q->arena, SHOWN_MAX + 1);

    text_printable(shown, SHOWN_MAX + 1, text, text_utf8_cut(text, strlen(text), SHOWN_MAX));
    return shown;
}

/* --- filters --------------------------------------------------------------------------- */

static void
refuse_filter(struct rest_query *q, const char *value, const char *details)
{
    rest_refuse(q, 400, "PGRST100", details, "\"failed to parse filter (%s)\" (line 1, column 1)",
                rest_shown(q, value));
}

/* A pattern of LIKE may be written with '*', which needs no %25 in a URL. */
static const char *
read_pattern(struct arena *arena, const char *value)
{
    char *pattern = arena_strdup(arena, value);

    for (char *p = pattern; *p != '\0'; p++) {
        if (*p == '*')
            *p = '%';
    }
    return pattern;
}

static bool
read_word(struct rest_query *q, const char *value, struct rest_filter *f)
{
    static const char *const truths[] = {"true", "false", "unknown"};

    f->is_null = strcasecmp(value, "null") == 0;
    for (size_t i = 0; i < LENGTH(truths); i++) {
        if (strcasecmp(value, truths[i]) == 0)
            rest_refuse(q, 400, "42804", NULL,
                        "argument of IS %s must be type boolean, not type %s", truths[i],
                        f->column->type->name);
    }
    return f->is_null || strcasecmp(value, "not_null") == 0;
}

/* True: f is complete, or it is refused for a better reason than that it cannot be read. */
static bool
read_operand(struct rest_query *q, const char *value, struct rest_filter *f)
{
    switch (f->op->takes) {
    case REST_TAKES_VALUE:
        f->value = arena_strdup(q->arena, value);
        return true;
    case REST_TAKES_PATTERN:
        f->value = read_pattern(q->arena, value);
        return true;
    case REST_TAKES_LIST:
        return rest_read_values(q, value, f);
    case REST_TAKES_WORD:
        return read_word(q, value, f);
    }
    return false;
}

static bool
fits_type(const struct rest_filter *f)
{
    switch (f->op->takes) {
    case REST_TAKES_WORD:
        return true;
    case REST_TAKES_PATTERN:
        return f->column->type->is_text;
    default:
        return f->column->type->cast != NULL;
    }
}

/* "eq.5", "not.in.(a,b)" */
static void
read_filter(struct rest_query *q, const struct rest_column *column, const char *text)
{
    struct rest_filter f = {.column = column};
    const char *value = text, *dot;

    if (strncmp(value, "not.", 4) == 0) {
        f.negated = true;
        value += 4;
    }
    dot = strchr(value, '.');
    f.op = dot != NULL ? rest_operator_find(value, (size_t)(dot - value)) : NULL;
    if (f.op == NULL) {
        refuse_filter(q, text,
                      "an operator is expected: eq, neq, gt, gte, lt, lte, isdistinct, like, "
                      "ilike, in or is, maybe after not, and a dot");
        return;
    }
    if (!fits_type(&f)) {
        rest_refuse(q, 400, "42883", NULL, "%s cannot be compared by %s here", column->name,
                    f.op->name);
        return;
    }
    if (q->n_filters == REST_FILTERS_MAX) {
        rest_refuse(q, 400, "PGRST100", NULL, "there are more than %d filters", REST_FILTERS_MAX);
        return;
    }
    if (read_operand(q, dot + 1, &f))
        q->filters[q->n_filters++] = f;
    else
        refuse_filter(q, text,
                      f.op->takes == REST_TAKES_LIST ? "a list is expected: (a,b,\"c,d\")"
                                                     : "null or not_null is expected");
}

/* --- limit and offset ------------------------------------------------------------------ */

static void
read_number(struct rest_query *q, const char *name, const char *text, int64_t *ret)
{
    int64_t value;

    if (!text_to_int(text, &value) || isspace((unsigned char)*text)) {
        rest_refuse(q, 400, "PGRST100", NULL, "%s is not a number: %s", name, rest_shown(q, text));
        return;
    }
    if (value < 0) {
        rest_refuse(q, 416, "PGRST103", "it should be greater than or equal to zero",
                    "Requested range not satisfiable: %s", name);
        return;
    }
    *ret = value;
}

/* --- parameters ------------------------------------------------------------------------ */

static void
set_limit(struct rest_query *q, const char *value)
{
    read_number(q, "limit", value, &q->limit);
}

static void
set_offset(struct rest_query *q, const char *value)
{
    read_number(q, "offset", value, &q->offset);
}

static void
refuse_tree(struct rest_query *q, const char *value)
{
    rest_refuse(q, 400, "PGRST100", "trees of and/or are not served here",
                "\"failed to parse logic tree (%s)\" (line 1, column 1)", rest_shown(q, value));
}

static void
pass_over(UNUSED struct rest_query *q, UNUSED const char *value)
{
}

/* clang-format off */
static const struct {
    const char *name;
    void (*read)(struct rest_query *q, const char *value);
} words[] = {
    {"select",  rest_read_select},
    {"order",   rest_read_order},
    {"limit",   set_limit},
    {"offset",  set_offset},
    {"and",     refuse_tree},
    {"or",      refuse_tree},
    {"not.and", refuse_tree},
    {"not.or",  refuse_tree},
    /* Who asks, not what. */
    {"access_token", pass_over},
    {"apikey",       pass_over},
};
/* clang-format on */

void
rest_query_param(void *query, const char *name, const char *value)
{
    struct rest_query *q = query;
    const struct rest_column *column;

    if (q->refused.status != 0)
        return;
    for (size_t i = 0; i < LENGTH(words); i++) {
        if (strcmp(words[i].name, name) == 0) {
            words[i].read(q, value);
            return;
        }
    }
    column = rest_known_column(q, name);
    if (column != NULL)
        read_filter(q, column, value);
}

/* --- the end --------------------------------------------------------------------------- */

/* What limit and offset leave of the header Range, and of what is answered at most. */
static void
cut_range(struct rest_query *q)
{
    int64_t first = q->offset > q->range_first ? q->offset : q->range_first;
    int64_t left = q->range_last >= first ? q->range_last - first : -1;

    /* After the last of both: an offset counts from the first row, not from the range's. */
    if (q->limit < INT64_MAX - q->offset && q->offset + q->limit - 1 - first < left)
        left = q->offset + q->limit - 1 - first;
    q->offset = first;
    q->limit = left < 0 ? 0 : left < REST_ROWS_MAX ? left + 1 : REST_ROWS_MAX;
}

bool
rest_query_end(struct rest_query *q)
{
    if (q->n_picks == 0)
        rest_read_select(q, "*");
    cut_range(q);
    return q->refused.status == 0;
}
