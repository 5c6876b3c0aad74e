/*
 * What the database and the daemon answer, as JSON values: commands print
 * those with --json as they are, and tables of them for people.  So the names
 * of a statement's columns are the names of the fields.
 */
#ifndef PGCREW_CLI_VALUES_H
#define PGCREW_CLI_VALUES_H

#include <jansson.h>
#include <libpq-fe.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * A row as an object, all rows as an array of them.  json and jsonb columns
 * become what they hold, times UTC as "2026-11-24T08:30:00.123Z", arrays of
 * numbers or texts arrays.  The caller owns what is returned.
 */
json_t *value_from_row(const PGresult *res, int row);
json_t *value_from_rows(const PGresult *res);

/*
 * JSON from outside, any kind of value.  An error is ERR_PERMANENT and says
 * line and column.  ret may be NULL: only checked.
 */
bool value_parse(const char *text, size_t len, json_t **ret, struct err *err) MUST_CHECK;

/* Short cuts into an object: absent or of another kind gives "", 0, 0. */
const char *value_text(const json_t *object, const char *field);
int64_t value_int(const json_t *object, const char *field);
double value_real(const json_t *object, const char *field);
bool value_is_set(const json_t *object, const char *field); /* there, and not null */

#endif
