/* Columns of a result: the bytes of a value, whatever the server says they are. */
#include "fuzz.h"

#include "cli/values.h"
#include "db/value.h"

/* Object ids of pg_type.dat. */
static const Oid types[] = {16, 20, 21, 23, 25, 114, 700, 701, 1016, 1009, 1184, 2950, 3802, 19};

/* A value: its type, its length and its bytes. */
static void
add_value(struct input *in, PGresult *res, int column)
{
    size_t len = take_byte(in);
    char *copy;

    len = len < in->left ? len : in->left;
    copy = xmalloc(len + 1);
    memcpy(copy, in->at, len);
    copy[len] = '\0';
    must(PQsetvalue(res, 0, column, copy, (int)len) == 1);
    in->at += len;
    in->left -= len;
    free(copy);
}

static PGresult *
make_result(struct input *in)
{
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    int n = take_byte(in) % 4 + 1;
    PGresAttDesc columns[4];
    char names[4][2];

    for (int i = 0; i < n; i++) {
        snprintf(names[i], sizeof(names[i]), "%c", 'a' + i);
        columns[i] = (PGresAttDesc){
            .name = names[i], .format = 1, .typid = types[take_byte(in) % LENGTH(types)]};
    }
    must(PQsetResultAttrs(res, n, columns) == 1);
    for (int i = 0; i < n; i++)
        add_value(in, res, i);
    return res;
}

static bool
is_int8s(const char *p, int length)
{
    static const char type[] = {0, 0, 0, 20}, one[] = {0, 0, 0, 1};

    return length < 20 || (memcmp(p + 8, type, 4) == 0 && memcmp(p, one, 4) == 0);
}

static void
read_column(const PGresult *res, int column)
{
    struct arena a;
    int64_t *numbers;
    size_t n;

    must(strlen(row_text(res, 0, column)) <= row_length(res, 0, column));
    arena_init(&a);
    switch (PQftype(res, column)) {
    case 16:
        (void)row_bool(res, 0, column);
        break;
    case 20:
    case 21:
    case 23:
        (void)row_int(res, 0, column);
        break;
    case 700:
    case 701:
        (void)row_float(res, 0, column);
        break;
    case 1016:
        /* What is no array of numbers is an error of ours, and ends the process. */
        if (!is_int8s(PQgetvalue(res, 0, column), PQgetlength(res, 0, column)))
            break;
        n = row_int8s(res, 0, column, &a, &numbers);
        must(n * 12 <= (size_t)PQgetlength(res, 0, column));
        for (size_t i = 0; i < n; i++)
            (void)numbers[i];
        break;
    case 2950:
        (void)row_uuid(res, 0, column);
        break;
    default:
        break;
    }
    arena_release(&a);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    PGresult *res = make_result(&in);
    json_t *rows;
    char *text;

    for (int i = 0; i < PQnfields(res); i++)
        read_column(res, i);
    rows = value_from_rows(res);
    text = json_dumps(rows, JSON_ENCODE_ANY);
    must(text != NULL);
    /* A column that cannot be shown is not left out. */
    must((int)json_object_size(json_array_get(rows, 0)) == PQnfields(res));
    free(text);
    json_decref(rows);
    PQclear(res);
}
