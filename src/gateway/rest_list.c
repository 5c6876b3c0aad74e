#include "gateway/rest_list.h"

#include <string.h>

#define NAME_MAX_BYTES 200

static const char *
skip_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* In quotes, at the first one; '\' makes the next byte an ordinary one.  NULL: no end. */
static char *
read_quoted(struct arena *arena, const char **at)
{
    char *text = arena_alloc(arena, strlen(*at)), *end = text;
    const char *p = *at + 1;

    for (; *p != '"'; p++) {
        if (*p == '\\')
            p++;
        if (*p == '\0')
            return NULL;
        *end++ = *p;
    }
    *at = p + 1;
    return text;
}

/* Up to one of what ends a name, without blanks around it. */
static char *
read_bare_name(struct arena *arena, const char **at)
{
    const char *begin = *at;
    size_t len = 0;

    while (begin[len] != '\0' && strchr(",:().\"", begin[len]) == NULL &&
           !(begin[len] == '-' && begin[len + 1] == '>'))
        len++;
    *at = begin + len;
    while (len > 0 && (begin[len - 1] == ' ' || begin[len - 1] == '\t'))
        len--;
    return arena_memdup(arena, begin, len);
}

/* NULL: there is no name here, or it is too long. */
static const char *
read_name(struct arena *arena, const char **at)
{
    char *name;

    *at = skip_blanks(*at);
    name = **at == '"' ? read_quoted(arena, at) : read_bare_name(arena, at);
    if (name == NULL || *name == '\0' || strlen(name) > NAME_MAX_BYTES)
        return NULL;
    *at = skip_blanks(*at);
    return name;
}

const struct rest_column *
rest_known_column(struct rest_query *q, const char *name)
{
    const struct rest_column *column = rest_column_find(name);

    if (column == NULL)
        rest_refuse(q, 400, "42703", NULL, "column jobs.%s does not exist", rest_shown(q, name));
    return column;
}

/* --- select ---------------------------------------------------------------------------- */

static void
refuse_select(struct rest_query *q, const char *text, const char *at, const char *details)
{
    rest_refuse(q, 400, "PGRST100", details,
                "\"failed to parse select parameter (%s)\" (line 1, column %zu)",
                rest_shown(q, text), (size_t)(at - text) + 1);
}

/* What stands where a comma should, as far as PostgREST would know what to do with it. */
static const char *
not_served(const char *at)
{
    if (strncmp(at, "::", 2) == 0)
        return "casts are not served here";
    if (strncmp(at, "->", 2) == 0)
        return "paths into JSON are not served here";
    if (*at == '(')
        return "other tables and aggregate functions are not served here";
    return "a comma or the end is expected";
}

static void
pick(struct rest_query *q, const struct rest_column *column, const char *name)
{
    if (q->n_picks == REST_PICKS_MAX) {
        rest_refuse(q, 400, "PGRST100", NULL, "select has more than %d columns", REST_PICKS_MAX);
        return;
    }
    q->picks[q->n_picks++] = (struct rest_pick){column, name};
}

static void
pick_all(struct rest_query *q)
{
    for (size_t i = 0; i < rest_columns_count; i++)
        pick(q, &rest_columns[i], rest_columns[i].name);
}

/* "id", "state:status", "*"; where the next one may begin, NULL when it is refused. */
static const char *
read_pick(struct rest_query *q, const char *text, const char *at)
{
    const struct rest_column *column;
    const char *begin = at, *name = read_name(q->arena, &at), *shown = name;

    if (name != NULL && at[0] == ':' && at[1] != ':') {
        at++;
        name = read_name(q->arena, &at);
    }
    if (name == NULL || (*at != ',' && *at != '\0')) {
        refuse_select(q, text, name == NULL ? begin : at,
                      name == NULL ? "a column is expected" : not_served(at));
        return NULL;
    }
    if (strcmp(name, "*") == 0 && shown == name) {
        pick_all(q);
        return at;
    }
    column = rest_known_column(q, name);
    if (column == NULL)
        return NULL;
    pick(q, column, shown);
    return at;
}

void
rest_read_select(struct rest_query *q, const char *text)
{
    const char *at = read_pick(q, text, text);

    while (at != NULL && *at == ',')
        at = read_pick(q, text, at + 1);
}

/* --- order ----------------------------------------------------------------------------- */

/* "id", "id.desc", "id.desc.nullslast": each word at most once, in this order. */
static bool
read_direction(const char **at, struct rest_order *ret)
{
    static const struct {
        const char *word;
        int rank; /* must rise */
        bool descends;
        enum rest_nulls nulls;
    } words[] = {{".asc", 1, false, REST_NULLS_DEFAULT},
                 {".desc", 1, true, REST_NULLS_DEFAULT},
                 {".nullsfirst", 2, false, REST_NULLS_FIRST},
                 {".nullslast", 2, false, REST_NULLS_LAST}};
    int rank = 0;

    while (**at == '.') {
        size_t len = 1 + strcspn(*at + 1, ".,"), i = 0;

        while (i < LENGTH(words) &&
               (strlen(words[i].word) != len || strncmp(words[i].word, *at, len) != 0))
            i++;
        if (i == LENGTH(words) || words[i].rank <= rank)
            return false;
        rank = words[i].rank;
        ret->descends |= words[i].descends;
        ret->nulls |= words[i].nulls;
        *at += len;
    }
    return **at == ',' || **at == '\0';
}

static const char *
read_order(struct rest_query *q, const char *text, const char *at)
{
    const char *name = read_name(q->arena, &at);
    struct rest_order order = {0};

    if (name == NULL || !read_direction(&at, &order)) {
        rest_refuse(q, 400, "PGRST100",
                    name == NULL
                        ? "a column is expected"
                        : "asc, desc, nullsfirst, nullslast, a comma or the end is expected",
                    "\"failed to parse order (%s)\" (line 1, column %zu)", rest_shown(q, text),
                    (size_t)(at - text) + 1);
        return NULL;
    }
    order.column = rest_known_column(q, name);
    if (order.column == NULL)
        return NULL;
    if (order.column->type->cast == NULL || q->n_orders == REST_ORDERS_MAX) {
        rest_refuse(q, 400, "PGRST100", NULL,
                    order.column->type->cast == NULL ? "%s cannot be sorted by here"
                                                     : "order: %s is one column too many",
                    order.column->name);
        return NULL;
    }
    q->orders[q->n_orders++] = order;
    return at;
}

void
rest_read_order(struct rest_query *q, const char *text)
{
    const char *at = read_order(q, text, text);

    while (at != NULL && *at == ',')
        at = read_order(q, text, at + 1);
}

/* --- in.(...) -------------------------------------------------------------------------- */

/* Quoted, or as it stands up to ',' or ')'. */
static const char *
read_value(struct arena *arena, const char **at)
{
    const char *begin = *at, *quoted;
    size_t len;

    if (*begin == '"') {
        quoted = read_quoted(arena, at);
        if (quoted != NULL && (**at == ',' || **at == ')'))
            return quoted;
        *at = begin; /* a quote of its own, then */
    }
    len = strcspn(begin, ",)");
    *at = begin + len;
    return arena_memdup(arena, begin, len);
}

bool
rest_read_values(struct rest_query *q, const char *text, struct rest_filter *ret)
{
    const char *at = skip_blanks(text);
    const char **list;

    if (*at != '(')
        return false;
    list = arena_alloc(q->arena, REST_LIST_MAX * sizeof(*list));
    ret->list = list;
    ret->n_list = 0;
    if (strcmp(at, "()") == 0)
        return true;
    do {
        at++;
        if (ret->n_list == REST_LIST_MAX) {
            rest_refuse(q, 400, "PGRST100", NULL, "in has more than %d values", REST_LIST_MAX);
            return true;
        }
        list[ret->n_list++] = read_value(q->arena, &at);
    } while (*at == ',');
    return *at == ')' && *skip_blanks(at + 1) == '\0';
}
