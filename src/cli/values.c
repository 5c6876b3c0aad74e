#include "cli/values.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "db/value.h"
#include "metrics/facts.h"

/* Object ids from PostgreSQL's pg_type.dat; they never change. */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_JSON = 114,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_INT8_ARRAY = 1016,
    OID_TEXT_ARRAY = 1009,
    OID_TIMESTAMPTZ = 1184,
    OID_UUID = 2950,
    OID_JSONB = 3802,
};

/* PostgreSQL counts microseconds from 2000-01-01. */
#define POSTGRES_EPOCH_S INT64_C(946684800)

/* Bytes of an array before its elements. */
#define ARRAY_HEAD 20

#define DECODE_FLAGS (JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL)

/* --- rows ------------------------------------------------------------------------- */

static uint64_t
be64_at(const char *p)
{
    uint64_t net;

    memcpy(&net, p, sizeof(net));
    return be64toh(net);
}

static uint32_t
be32_at(const char *p)
{
    uint32_t net;

    memcpy(&net, p, sizeof(net));
    return be32toh(net);
}

static json_t *
from_time(const PGresult *res, int row, int column)
{
    int64_t us = 0, s, rest;
    char text[64];
    struct tm tm;
    time_t at;
    size_t len;

    if (PQgetlength(res, row, column) == sizeof(us))
        us = (int64_t)be64_at(PQgetvalue(res, row, column));
    s = us / 1000000;
    rest = us % 1000000;
    if (us == INT64_MAX || us == INT64_MIN)
        return json_string(us == INT64_MAX ? "infinity" : "-infinity");
    if (rest < 0) {
        rest += 1000000;
        s--;
    }
    at = (time_t)(s + POSTGRES_EPOCH_S);
    gmtime_r(&at, &tm);
    len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, sizeof(text) - len, ".%03dZ", (int)(rest / 1000));
    return json_string(text);
}

static json_t *
from_json(const PGresult *res, int row, int column)
{
    const char *text = row_text(res, row, column);
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

    /* A number beyond what C can hold: as the text that it is. */
    return value != NULL ? value : facts_from_text(text, strlen(text));
}

/* One element of an array at *at; false: it does not fit before end. */
static bool
take_element(const char **at, const char *end, bool is_number, json_t **ret)
{
    uint32_t len;

    if (end - *at < 4)
        return false;
    len = be32_at(*at);
    *at += 4;
    if (len == UINT32_MAX) {
        *ret = json_null();
        return true;
    }
    if (len > (size_t)(end - *at) || (is_number && len != sizeof(int64_t)))
        return false;
    *ret = is_number ? json_integer((json_int_t)be64_at(*at)) : facts_from_text(*at, len);
    *at += len;
    return true;
}

/* One dimension, as the wire has it: number of dimensions, nulls, type, length, bottom, elements. */
static json_t *
from_array(const PGresult *res, int row, int column)
{
    const char *p = PQgetvalue(res, row, column), *end = p + PQgetlength(res, row, column);
    json_t *all = json_array(), *element;
    uint32_t n;
    bool is_number;

    if (end - p < ARRAY_HEAD || be32_at(p) != 1)
        return all;
    is_number = be32_at(p + 8) == OID_INT8;
    n = be32_at(p + 12);
    p += ARRAY_HEAD;
    for (uint32_t i = 0; i < n && take_element(&p, end, is_number, &element); i++)
        json_array_append_new(all, element);
    return all;
}

/* Only progress is one, from 0 to 100: a digit is enough. */
static json_t *
from_real(double number)
{
    if (!(number > -1e9 && number < 1e9))
        return facts_from_real(number);
    return json_real((double)(int64_t)(number * 10 + 0.5) / 10);
}

static json_t *
from_column(const PGresult *res, int row, int column)
{
    char uuid[UUID_TEXT_SIZE];
    struct uuid u;

    if (row_is_null(res, row, column))
        return json_null();
    switch (PQftype(res, column)) {
    case OID_BOOL:
        return json_boolean(row_bool(res, row, column));
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return json_integer(row_int(res, row, column));
    case OID_FLOAT4:
    case OID_FLOAT8:
        return from_real(row_float(res, row, column));
    case OID_JSON:
    case OID_JSONB:
        return from_json(res, row, column);
    case OID_TIMESTAMPTZ:
        return from_time(res, row, column);
    case OID_INT8_ARRAY:
    case OID_TEXT_ARRAY:
        return from_array(res, row, column);
    case OID_UUID:
        u = row_uuid(res, row, column);
        return json_string(uuid_text(uuid, &u));
    default:
        return facts_from_text(row_text(res, row, column), row_length(res, row, column));
    }
}

json_t *
value_from_row(const PGresult *res, int row)
{
    json_t *object = json_object();

    for (int i = 0; i < PQnfields(res); i++)
        json_object_set_new(object, PQfname(res, i), from_column(res, row, i));
    return object;
}

json_t *
value_from_rows(const PGresult *res)
{
    json_t *all = json_array();

    for (int i = 0; i < PQntuples(res); i++)
        json_array_append_new(all, value_from_row(res, i));
    return all;
}

/* --- from outside ------------------------------------------------------------------- */

bool
value_parse(const char *text, size_t len, json_t **ret, struct err *err)
{
    json_error_t why;
    json_t *value;

    if (memchr(text, '\0', len) != NULL) /* jansson reads over one after a number */
        return err_set(err, ERR_PERMANENT, "there is a NUL byte in it");
    value = json_loadb(text, len, DECODE_FLAGS, &why);
    if (value == NULL)
        return err_set(err, ERR_PERMANENT, "line %d, column %d: %s", why.line, why.column,
                       why.text);
    if (ret != NULL)
        *ret = value;
    else
        json_decref(value);
    return true;
}

const char *
value_text(const json_t *object, const char *field)
{
    const char *text = json_string_value(json_object_get(object, field));

    return text != NULL ? text : "";
}

int64_t
value_int(const json_t *object, const char *field)
{
    return json_integer_value(json_object_get(object, field));
}

double
value_real(const json_t *object, const char *field)
{
    return json_number_value(json_object_get(object, field));
}

bool
value_is_set(const json_t *object, const char *field)
{
    const json_t *value = json_object_get(object, field);

    return value != NULL && !json_is_null(value);
}
