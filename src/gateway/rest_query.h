/*
 * What a browser asks of its jobs, in the words of PostgREST:
 *
 *     GET /rest/v1/jobs?select=id,state:status&status=in.(queued,running)&order=id.desc&limit=10
 *
 * A part of PostgREST: no casts, no paths into JSON, no other tables, no trees of and/or, and
 * payload and result are not compared.  What is not part of it is refused, never passed over.
 */
#ifndef PGCREW_GATEWAY_REST_QUERY_H
#define PGCREW_GATEWAY_REST_QUERY_H

#include "base/arena.h"
#include "gateway/rest_columns.h"

#define REST_PICKS_MAX 40 /* a function of the server takes 100 arguments, a pick is two */
#define REST_FILTERS_MAX 12
#define REST_ORDERS_MAX 8
#define REST_LIST_MAX 1000
#define REST_ROWS_MAX 1000 /* whatever the limit is; as Supabase has it */

/* A column of the answer and its name there. */
struct rest_pick {
    const struct rest_column *column;
    const char *name;
};

struct rest_filter {
    const struct rest_column *column;
    const struct rest_operator *op;
    bool negated;
    bool is_null;      /* of REST_TAKES_WORD: null, or else not null */
    const char *value; /* of REST_TAKES_VALUE and _PATTERN */
    const char *const *list;
    size_t n_list;
};

enum rest_nulls { REST_NULLS_DEFAULT, REST_NULLS_FIRST, REST_NULLS_LAST };

struct rest_order {
    const struct rest_column *column;
    bool descends;
    enum rest_nulls nulls;
};

/* Why not, in the shape of PostgREST's errors.  Texts may be NULL but for code and message. */
struct rest_refusal {
    int status; /* 0: it is not refused */
    const char *code, *message, *details, *hint;
};

struct rest_query {
    struct arena *arena;
    struct rest_pick picks[REST_PICKS_MAX]; /* at least one after rest_query_end() */
    size_t n_picks;
    struct rest_filter filters[REST_FILTERS_MAX];
    size_t n_filters;
    struct rest_order orders[REST_ORDERS_MAX];
    size_t n_orders;
    int64_t limit, offset;
    int64_t range_first, range_last; /* of the header Range; last is INT64_MAX: to the end */
    bool counts;                     /* how many there are in all is wanted, too */
    bool single;                     /* one object, not an array */
    bool strips_nulls;
    bool headers_only;           /* a HEAD: nobody reads the rows */
    struct rest_refusal refused; /* the first reason */
};

/* Headers of the request; NULL: there is none. */
struct rest_headers {
    const char *accept, *accept_profile, *prefer, *range, *range_unit;
};

/* Everything in q lives in the arena. */
void rest_query_begin(struct rest_query *q, struct arena *arena);
/* Each parameter of the URL, decoded; q is a struct rest_query: for web_query_each(). */
void rest_query_param(void *q, const char *name, const char *value);
void rest_query_headers(struct rest_query *q, const struct rest_headers *headers);
/* False: refused says why. */
bool rest_query_end(struct rest_query *q) MUST_CHECK;

/* Note a reason, if it is the first. */
void rest_refuse(struct rest_query *q, int status, const char *code, const char *details,
                 const char *message, ...) PRINTF_LIKE(5, 6);
/* What the client wrote, fit to be shown. */
const char *rest_shown(struct rest_query *q, const char *text);

#endif
