#include "gateway/rest_sql.h"

#include <stdio.h>

/* --- pieces ---------------------------------------------------------------------------- */

enum piece {
    COUNT_ALL,
    COUNT_NOT,
    ROWS,
    BODY,
    OF_ARRAY,
    OF_SINGLE,
    OF_NOTHING,
    LINES,
    STRIP,
    OBJECT,
    NAME,
    NAME_END,
    OBJECT_END,
    STRIP_END,
    LINE_FROM,
    FROM,
    AND,
    AND_NOT,
    NEGATED_END,
    LIST_END,
    IS_NULL,
    IS_NOT_NULL,
    ORDER_BY,
    COMMA,
    ASC,
    DESC,
    NULLS_FIRST,
    NULLS_LAST,
    LIMIT,
    OFFSET,
    LINES_END,
    PARAMETER,
    PIECES
};

/* clang-format off */
static const char *const pieces[PIECES] = {
    [COUNT_ALL]   = "select (select count(*)",
    [COUNT_NOT]   = "select null::bigint",
    [ROWS]        = ", r.n, case when octet_length(r.body) <= 8388608 then r.body end",
    [BODY]        = " from (select count(*) as n, ",
    [OF_ARRAY]    = "coalesce(json_agg(t.line), '[]')::text as body",
    [OF_SINGLE]   = "coalesce(json_agg(t.line) -> 0, 'null')::text as body",
    [OF_NOTHING]  = "'' as body",
    [LINES]       = " from (select ",
    [STRIP]       = "json_strip_nulls(",
    [OBJECT]      = "json_build_object(",
    [NAME]        = "($1::text[])[",
    [NAME_END]    = "], ",
    [OBJECT_END]  = ")",
    [STRIP_END]   = ")",
    [LINE_FROM]   = " as line",
    [FROM]        = " from public.jobs j where true",
    [AND]         = " and ",
    [AND_NOT]     = " and not (",
    [NEGATED_END] = ")",
    [LIST_END]    = ")",
    [IS_NULL]     = "null",
    [IS_NOT_NULL] = "not null",
    [ORDER_BY]    = " order by ",
    [COMMA]       = ", ",
    [ASC]         = " asc",
    [DESC]        = " desc",
    [NULLS_FIRST] = " nulls first",
    [NULLS_LAST]  = " nulls last",
    [LIMIT]       = " limit $2::bigint",
    [OFFSET]      = " offset $3::bigint",
    [LINES_END]   = ") t) r",
    [PARAMETER]   = "$",
};
/* clang-format on */
_Static_assert(REST_BODY_MAX == 8388608, "it is written in ROWS");
_Static_assert(REST_FILTERS_MAX + 3 <= PARAMS_MAX, "each filter has a parameter at most");

/* The types' casts are with the columns: repeated, which does no harm here. */
const char *
rest_sql_piece(size_t nth)
{
    if (nth < PIECES)
        return pieces[nth];
    nth -= PIECES;
    if (nth < rest_operators_count)
        return rest_operators[nth].sql;
    nth -= rest_operators_count;
    if (nth / 3 >= rest_columns_count)
        return NULL;
    if (nth % 3 == 0 || rest_columns[nth / 3].type->cast == NULL)
        return rest_columns[nth / 3].sql;
    return nth % 3 == 1 ? rest_columns[nth / 3].type->cast : rest_columns[nth / 3].type->list_cast;
}

static void
add(struct buf *text, enum piece piece)
{
    buf_add_text(text, pieces[piece]);
}

/* --- what is asked --------------------------------------------------------------------- */

static void
add_object(const struct rest_query *q, struct buf *text, struct params *params)
{
    const char *names[REST_PICKS_MAX];

    if (q->strips_nulls)
        add(text, STRIP);
    add(text, OBJECT);
    for (size_t i = 0; i < q->n_picks; i++) {
        if (i > 0)
            add(text, COMMA);
        add(text, NAME);
        buf_printf(text, "%zu", i + 1);
        add(text, NAME_END);
        buf_add_text(text, q->picks[i].column->sql);
        names[i] = q->picks[i].name;
    }
    add(text, OBJECT_END);
    if (q->strips_nulls)
        add(text, STRIP_END);
    param_texts(params, names, q->n_picks);
}

/* number: of its parameter, if it has one. */
static void
add_filter(const struct rest_filter *f, int number, struct buf *text)
{
    add(text, f->negated ? AND_NOT : AND);
    buf_add_text(text, f->column->sql);
    buf_add_text(text, f->op->sql);
    if (f->op->takes == REST_TAKES_WORD) {
        add(text, f->is_null ? IS_NULL : IS_NOT_NULL);
    } else {
        add(text, PARAMETER);
        buf_printf(text, "%d", number);
        buf_add_text(text, f->op->takes == REST_TAKES_LIST ? f->column->type->list_cast
                                                           : f->column->type->cast);
    }
    if (f->op->takes == REST_TAKES_LIST)
        add(text, LIST_END);
    if (f->negated)
        add(text, NEGATED_END);
}

/* Twice for a count: with the same parameters, which are there already the second time. */
static void
add_from(const struct rest_query *q, struct buf *text)
{
    int number = 4;

    add(text, FROM);
    for (size_t i = 0; i < q->n_filters; i++) {
        add_filter(&q->filters[i], number, text);
        if (q->filters[i].op->takes != REST_TAKES_WORD)
            number++;
    }
}

static void
add_order(const struct rest_query *q, struct buf *text)
{
    for (size_t i = 0; i < q->n_orders; i++) {
        const struct rest_order *o = &q->orders[i];

        add(text, i == 0 ? ORDER_BY : COMMA);
        buf_add_text(text, o->column->sql);
        add(text, o->descends ? DESC : ASC);
        if (o->nulls != REST_NULLS_DEFAULT)
            add(text, o->nulls == REST_NULLS_FIRST ? NULLS_FIRST : NULLS_LAST);
    }
}

static void
add_values(const struct rest_query *q, struct params *params)
{
    param_int8(params, q->limit);
    param_int8(params, q->offset);
    for (size_t i = 0; i < q->n_filters; i++) {
        const struct rest_filter *f = &q->filters[i];

        if (f->op->takes == REST_TAKES_LIST)
            param_texts(params, f->list, f->n_list);
        else if (f->op->takes != REST_TAKES_WORD)
            param_text(params, f->value);
    }
}

void
rest_sql(const struct rest_query *q, struct buf *text, struct params *params)
{
    if (q->counts) {
        add(text, COUNT_ALL);
        add_from(q, text);
        add(text, OBJECT_END);
    } else {
        add(text, COUNT_NOT);
    }
    add(text, ROWS);
    add(text, BODY);
    add(text, q->headers_only ? OF_NOTHING : q->single ? OF_SINGLE : OF_ARRAY);
    add(text, LINES);
    add_object(q, text, params);
    add(text, LINE_FROM);
    add_from(q, text);
    add_order(q, text);
    add(text, LIMIT);
    add(text, OFFSET);
    add(text, LINES_END);
    add_values(q, params);
}
