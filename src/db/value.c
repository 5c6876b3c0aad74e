#include "db/value.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Object ids of built-in types, from PostgreSQL's pg_type.dat; they never change. */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_UUID = 2950,
    OID_JSONB = 3802,
};

#define IS_LITTLE (__BYTE_ORDER == __LITTLE_ENDIAN)

void
params_init(struct params *p)
{
    *p = (struct params){.n = 0};
    arena_init(&p->arena);
}

void
params_release(struct params *p)
{
    if (p != NULL)
        arena_release(&p->arena);
}

static void
add(struct params *p, const char *value, size_t length, int format)
{
    if (p->n == PARAMS_MAX)
        abort();
    p->values[p->n] = value;
    p->lengths[p->n] = (int)length;
    p->formats[p->n] = format;
    p->n++;
}

void
param_null(struct params *p)
{
    add(p, NULL, 0, 1);
}

static void
add_bytes(struct params *p, const void *bytes, size_t length)
{
    add(p, arena_memdup(&p->arena, bytes, length), length, 1);
}

void
param_bool(struct params *p, bool value)
{
    char byte = value ? 1 : 0;

    add_bytes(p, &byte, 1);
}

void
param_int4(struct params *p, int32_t value)
{
    uint32_t net = htobe32((uint32_t)value);

    add_bytes(p, &net, sizeof(net));
}

void
param_int8(struct params *p, int64_t value)
{
    uint64_t net = htobe64((uint64_t)value);

    add_bytes(p, &net, sizeof(net));
}

void
param_text(struct params *p, const char *text)
{
    if (text == NULL)
        param_null(p);
    else /* text form, so that the cast may make anything of it */
        add(p, arena_strdup(&p->arena, text), strlen(text), 0);
}

void
param_uuid(struct params *p, const struct uuid *value)
{
    add_bytes(p, value->bytes, sizeof(value->bytes));
}

/* The wire form of an array: dimensions, has nulls, element type, then size and bottom of each. */
struct array {
    char *start, *at;
};

static void
put32(struct array *a, uint32_t value)
{
    uint32_t net = htobe32(value);

    memcpy(a->at, &net, sizeof(net));
    a->at += sizeof(net);
}

static struct array
array_begin(struct params *p, uint32_t type, size_t n, size_t content_bytes)
{
    struct array a;

    a.start = a.at = arena_alloc(&p->arena, 20 + n * 4 + content_bytes);
    put32(&a, n > 0 ? 1 : 0);
    put32(&a, 1);
    put32(&a, type);
    if (n > 0) {
        put32(&a, (uint32_t)n);
        put32(&a, 1);
    }
    return a;
}

static void
array_put(struct array *a, const void *element, size_t length)
{
    put32(a, (uint32_t)length);
    memcpy(a->at, element, length);
    a->at += length;
}

static void
array_put_null(struct array *a)
{
    put32(a, UINT32_MAX);
}

static void
array_end(struct params *p, const struct array *a)
{
    add(p, a->start, (size_t)(a->at - a->start), 1);
}

/* An array of integers of that many bytes each; those equal to *null, if there is one, are null. */
static void
ints(struct params *p, uint32_t type, size_t size, const void *values, size_t n, const void *null)
{
    const char *from = values;
    struct array a;

    if (values == NULL) {
        param_null(p);
        return;
    }
    a = array_begin(p, type, n, n * size);
    for (size_t i = 0; i < n; i++, from += size) {
        char net[sizeof(int64_t)];

        if (null != NULL && memcmp(from, null, size) == 0) {
            array_put_null(&a);
            continue;
        }
        for (size_t byte = 0; byte < size; byte++)
            net[byte] = IS_LITTLE ? from[size - 1 - byte] : from[byte];
        array_put(&a, net, size);
    }
    array_end(p, &a);
}

void
param_int4s(struct params *p, const int32_t *values, size_t n)
{
    ints(p, OID_INT4, sizeof(*values), values, n, NULL);
}

void
param_int4s_or_null(struct params *p, const int32_t *values, size_t n, int32_t null)
{
    ints(p, OID_INT4, sizeof(*values), values, n, &null);
}

void
param_int8s(struct params *p, const int64_t *values, size_t n)
{
    ints(p, OID_INT8, sizeof(*values), values, n, NULL);
}

void
param_float4s(struct params *p, const float *values, size_t n)
{
    struct array a;

    if (values == NULL) {
        param_null(p);
        return;
    }
    a = array_begin(p, OID_FLOAT4, n, n * sizeof(*values));
    for (size_t i = 0; i < n; i++) {
        uint32_t net;

        memcpy(&net, &values[i], sizeof(net));
        net = htobe32(net);
        if (isnan(values[i]))
            array_put_null(&a);
        else
            array_put(&a, &net, sizeof(net));
    }
    array_end(p, &a);
}

void
param_texts(struct params *p, const char *const *texts, size_t n)
{
    size_t bytes = 0;
    struct array a;

    if (texts == NULL) {
        param_null(p);
        return;
    }
    for (size_t i = 0; i < n; i++)
        bytes += texts[i] != NULL ? strlen(texts[i]) : 0;
    a = array_begin(p, OID_TEXT, n, bytes);
    for (size_t i = 0; i < n; i++) {
        if (texts[i] != NULL)
            array_put(&a, texts[i], strlen(texts[i]));
        else
            array_put_null(&a);
    }
    array_end(p, &a);
}

void
param_uuids(struct params *p, const struct uuid *values, size_t n)
{
    struct array a;

    if (values == NULL) {
        param_null(p);
        return;
    }
    a = array_begin(p, OID_UUID, n, n * sizeof(values->bytes));
    for (size_t i = 0; i < n; i++)
        array_put(&a, values[i].bytes, sizeof(values[i].bytes));
    array_end(p, &a);
}

static void NORETURN
wrong_type(const PGresult *res, int column)
{
    log_error("column %d ('%s') of a result has the unexpected type %u", column,
              PQfname(res, column) != NULL ? PQfname(res, column) : "?", PQftype(res, column));
    abort();
}

/* The bytes of a value that has as many as its type; NULL: it is null, or no such value. */
static const char *
bytes_of(const PGresult *res, int row, int column, int length)
{
    if (PQgetisnull(res, row, column) || PQgetlength(res, row, column) != length)
        return NULL;
    return PQgetvalue(res, row, column);
}

static int64_t
int_from(const char *bytes, int length)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (length) {
    case 2:
        memcpy(&two, bytes, sizeof(two));
        return (int16_t)be16toh(two);
    case 4:
        memcpy(&four, bytes, sizeof(four));
        return (int32_t)be32toh(four);
    default:
        memcpy(&eight, bytes, sizeof(eight));
        return (int64_t)be64toh(eight);
    }
}

bool
row_is_null(const PGresult *res, int row, int column)
{
    return PQgetisnull(res, row, column);
}

int64_t
row_int(const PGresult *res, int row, int column)
{
    Oid type = PQftype(res, column);
    const char *bytes;
    int length;

    if (type != OID_INT2 && type != OID_INT4 && type != OID_INT8)
        wrong_type(res, column);
    length = type == OID_INT2 ? 2 : type == OID_INT4 ? 4 : 8;
    bytes = bytes_of(res, row, column, length);
    return bytes != NULL ? int_from(bytes, length) : 0;
}

double
row_float(const PGresult *res, int row, int column)
{
    Oid type = PQftype(res, column);
    const char *bytes;
    uint64_t eight;
    uint32_t four;
    double wide;
    float narrow;

    if (type != OID_FLOAT4 && type != OID_FLOAT8)
        wrong_type(res, column);
    bytes = bytes_of(res, row, column, type == OID_FLOAT4 ? 4 : 8);
    if (bytes == NULL)
        return 0;
    if (type == OID_FLOAT4) {
        memcpy(&four, bytes, sizeof(four));
        four = be32toh(four);
        memcpy(&narrow, &four, sizeof(narrow));
        return (double)narrow;
    }
    memcpy(&eight, bytes, sizeof(eight));
    eight = be64toh(eight);
    memcpy(&wide, &eight, sizeof(wide));
    return wide;
}

bool
row_bool(const PGresult *res, int row, int column)
{
    if (PQftype(res, column) != OID_BOOL)
        wrong_type(res, column);
    return !row_is_null(res, row, column) && PQgetvalue(res, row, column)[0] != 0;
}

/* jsonb travels as a version byte and then its text. */
static int
text_offset(const PGresult *res, int row, int column)
{
    return PQftype(res, column) == OID_JSONB && PQgetlength(res, row, column) > 0 ? 1 : 0;
}

const char *
row_text(const PGresult *res, int row, int column)
{
    if (row_is_null(res, row, column))
        return "";
    return PQgetvalue(res, row, column) + text_offset(res, row, column);
}

size_t
row_length(const PGresult *res, int row, int column)
{
    if (row_is_null(res, row, column))
        return 0;
    return (size_t)(PQgetlength(res, row, column) - text_offset(res, row, column));
}

struct uuid
row_uuid(const PGresult *res, int row, int column)
{
    struct uuid u = {.bytes = {0}};
    const char *bytes;

    if (PQftype(res, column) != OID_UUID)
        wrong_type(res, column);
    bytes = bytes_of(res, row, column, sizeof(u.bytes));
    if (bytes != NULL)
        memcpy(u.bytes, bytes, sizeof(u.bytes));
    return u;
}

/* So many bytes are before the elements of an array: see struct array. */
#define ARRAY_HEAD 20
#define INT8_ELEMENT 12 /* its length and its value */

size_t
row_int8s(const PGresult *res, int row, int column, struct arena *a, int64_t **ret)
{
    const char *p = PQgetvalue(res, row, column);
    int64_t length = PQgetlength(res, row, column);
    size_t n;

    *ret = NULL;
    if (row_is_null(res, row, column) || length < ARRAY_HEAD || int_from(p, 4) == 0)
        return 0;
    if (int_from(p, 4) != 1 || int_from(p + 8, 4) != OID_INT8)
        wrong_type(res, column);
    if (int_from(p + 12, 4) * INT8_ELEMENT != length - ARRAY_HEAD)
        return 0;
    n = (size_t)int_from(p + 12, 4);
    *ret = arena_alloc(a, n * sizeof(**ret));
    for (size_t i = 0; i < n; i++)
        (*ret)[i] = int_from(p + ARRAY_HEAD + i * INT8_ELEMENT + 4, 8);
    return n;
}
