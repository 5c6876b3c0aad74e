/*
 * What a query of /rest/v1/jobs may name: columns of public.jobs and operators, each with
 * the constant piece of SQL that it becomes.
 */
#ifndef PGCREW_GATEWAY_REST_COLUMNS_H
#define PGCREW_GATEWAY_REST_COLUMNS_H

#include "base/base.h"

struct rest_type {
    const char *name;
    const char *cast;      /* of a value, NULL: not compared and not sorted by */
    const char *list_cast; /* of many */
    bool is_text;          /* like and ilike */
};

struct rest_column {
    const char *name;
    const char *sql;
    const struct rest_type *type;
};

enum rest_takes {
    REST_TAKES_VALUE,
    REST_TAKES_PATTERN, /* a value, '*' is the same as '%' */
    REST_TAKES_LIST,    /* (a,b) */
    REST_TAKES_WORD,    /* null, not_null */
};

struct rest_operator {
    const char *name; /* also not.NAME */
    const char *sql;
    enum rest_takes takes;
};

extern const struct rest_column rest_columns[];
extern const size_t rest_columns_count;
extern const struct rest_operator rest_operators[];
extern const size_t rest_operators_count;

/* NULL: there is none. */
const struct rest_column *rest_column_find(const char *name);
/* The len bytes at name. */
const struct rest_operator *rest_operator_find(const char *name, size_t len);

#endif
