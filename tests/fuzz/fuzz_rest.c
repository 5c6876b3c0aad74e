/* A query of /rest/v1/jobs: name=value a line; the first line is the headers' number. */
#include "fuzz.h"

#include <ctype.h>

#include "../unit/rest_pieces.h"
#include "gateway/rest_answer.h"
#include "gateway/rest_sql.h"

static void
headers_of(struct rest_query *q, char *line)
{
    struct rest_headers headers = {0};
    const char **fields[] = {&headers.accept, &headers.accept_profile, &headers.prefer,
                             &headers.range, &headers.range_unit};
    char *rest = line;

    for (size_t i = 0; i < LENGTH(fields) && rest != NULL; i++) {
        const char *field = strsep(&rest, "|");

        *fields[i] = *field != '\0' ? field : NULL;
    }
    rest_query_headers(q, &headers);
}

static void
params_of(struct rest_query *q, struct input *in)
{
    while (in->left > 0) {
        char *line = take_line(in), *value = strchr(line, '=');

        if (value != NULL) {
            *value++ = '\0';
            rest_query_param(q, line, value);
        }
        free(line);
        if (q->refused.status != 0)
            return;
    }
}

static void
must_refuse_well(const struct rest_query *q)
{
    must(q->refused.status >= 400 && q->refused.status < 500);
    must(q->refused.code != NULL && *q->refused.code != '\0');
    must(q->refused.message != NULL && is_clean(q->refused.message));
}

static void
must_ask_well(struct rest_query *q)
{
    AUTO(buf) struct buf sql = {0};
    struct params params;

    params_init(&params);
    rest_sql(q, &sql, &params);
    must(is_of_pieces(buf_text(&sql)));
    must(params.n >= 3 && params.n <= 3 + REST_FILTERS_MAX);
    params_release(&params);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    struct arena arena;
    struct rest_query q;
    char *line = take_line(&in), range[REST_RANGE_SIZE];
    struct rest_found found = {.rows = (int64_t)len % 3, .total = (int64_t)(len / 3 % 4) - 1};

    arena_init(&arena);
    rest_query_begin(&q, &arena);
    headers_of(&q, line);
    params_of(&q, &in);
    if (rest_query_end(&q)) {
        must(q.limit >= 0 && q.limit <= REST_ROWS_MAX && q.offset >= 0);
        must(q.n_picks > 0);
        must_ask_well(&q);
        must(rest_judge(&q, &found, range) >= 200 && strlen(range) < sizeof(range));
    } else {
        must_refuse_well(&q);
    }
    free(line);
    arena_release(&arena);
}
