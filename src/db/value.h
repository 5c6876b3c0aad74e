/*
 * Values on their way to and from PostgreSQL, in binary form both ways.
 *
 * The SQL casts every parameter ($1::bigint[]), so no type has to be sent; a
 * value of another type than the cast is refused by the server, and a test
 * prepares and runs every statement.
 */
#ifndef PGCREW_DB_VALUE_H
#define PGCREW_DB_VALUE_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "base/base.h"
#include "base/uuid.h"

#define PARAMS_MAX 16

/* Parameters of one call, $1 first.  Copies what it is given. */
struct params {
    struct arena arena;
    int n;
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    int formats[PARAMS_MAX];
};

void params_init(struct params *p);
void params_release(struct params *p);
#define auto_params params_release

void param_null(struct params *p);
void param_bool(struct params *p, bool value);
void param_int4(struct params *p, int32_t value);
void param_int8(struct params *p, int64_t value);
/* NULL is SQL's null; also json(b) by a cast. */
void param_text(struct params *p, const char *text);
void param_uuid(struct params *p, const struct uuid *value);
/* Arrays.  A NULL array is SQL's null, n = 0 an empty one. */
void param_int4s(struct params *p, const int32_t *values, size_t n);
void param_int4s_or_null(struct params *p, const int32_t *values, size_t n, int32_t null);
void param_int8s(struct params *p, const int64_t *values, size_t n);
void param_float4s(struct params *p, const float *values, size_t n);    /* NaN is null */
void param_texts(struct params *p, const char *const *texts, size_t n); /* NULL is null */
void param_uuids(struct params *p, const struct uuid *values, size_t n);

/*
 * Columns of a result.  Integers of any width are read as int64_t; reading a
 * null gives 0, "" or an empty array: ask row_is_null() where it matters.
 * Text lives as long as the result.  A column of an unexpected type aborts: it
 * is our statement that is wrong.  A value whose length is not that of its type
 * reads as a null.
 */
bool row_is_null(const PGresult *res, int row, int column);
int64_t row_int(const PGresult *res, int row, int column);
double row_float(const PGresult *res, int row, int column);
bool row_bool(const PGresult *res, int row, int column);
const char *row_text(const PGresult *res, int row, int column); /* text, names, json, jsonb */
size_t row_length(const PGresult *res, int row, int column);
struct uuid row_uuid(const PGresult *res, int row, int column);
/* bigint[] without nulls, copied to the arena; returns its length. */
size_t row_int8s(const PGresult *res, int row, int column, struct arena *a, int64_t **ret);

#endif
