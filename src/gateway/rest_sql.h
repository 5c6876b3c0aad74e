/*
 * The statement that answers a query of /rest/v1/jobs.
 *
 * Its text consists of constant pieces and of the numbers of parameters and array elements:
 * no byte of the client is in it.  Names and values are parameters.
 *
 * It has one row: how many rows there are in all (null if not asked for), how many are
 * answered, and their JSON; null when that is longer than REST_BODY_MAX.
 */
#ifndef PGCREW_GATEWAY_REST_SQL_H
#define PGCREW_GATEWAY_REST_SQL_H

#include "base/buf.h"
#include "db/value.h"
#include "gateway/rest_query.h"

#define REST_BODY_MAX 8388608

/* Adds to text and to params, which both are empty before. */
void rest_sql(const struct rest_query *q, struct buf *text, struct params *params);
/* The nth constant piece, NULL: there are no more.  For tests. */
const char *rest_sql_piece(size_t nth);

#endif
