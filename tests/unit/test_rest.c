/* Queries of /rest/v1/jobs: what is understood, what is refused, the SQL of it. */
#include "gateway/rest_query.h"

#include <stdlib.h>

#include "gateway/rest_answer.h"
#include "gateway/rest_sql.h"
#include "rest_pieces.h"
#include "tap.h"

/* "a=b&c=d": as it is after decoding. */
static void
read_query(struct rest_query *q, struct arena *arena, const char *text,
           const struct rest_headers *headers)
{
    char *copy = arena_strdup(arena, text), *part, *state = NULL, *value;

    rest_query_begin(q, arena);
    if (headers != NULL)
        rest_query_headers(q, headers);
    for (part = strtok_r(copy, "&", &state); part != NULL; part = strtok_r(NULL, "&", &state)) {
        value = strchr(part, '=');
        *value++ = '\0';
        rest_query_param(q, part, value);
    }
}

static void
understood(void)
{
    static const struct {
        const char *query, *sql, *first_value;
    } good[] = {
        {"", "json_build_object(($1::text[])[1], j.id, ($1::text[])[2], j.batch_id, ", NULL},
        {"", "], j.finished_at) as line from public.jobs j where true limit $2::bigint", NULL},
        {"select=id,kind", "(($1::text[])[1], j.id, ($1::text[])[2], j.kind)", NULL},
        {"select=nr:id,\"kind\", status", "[3], j.status)", NULL},
        {"select=id,*", "[20], j.finished_at)", NULL},
        {"id=eq.5", " where true and j.id = $4::bigint limit", "5"},
        {"id=neq.5", " and j.id <> $4::bigint", "5"},
        {"id=gt.5&id=lte.7", " and j.id > $4::bigint and j.id <= $5::bigint", "5"},
        {"created_at=gte.2026-01-01T00:00:00+00:00", " and j.created_at >= $4::timestamptz",
         "2026-01-01T00:00:00+00:00"},
        {"progress=lt.50.5", " and j.progress < $4::real", "50.5"},
        {"kind=eq.", " and j.kind = $4::text", ""},
        {"kind=eq.a.b.c", " and j.kind = $4::text", "a.b.c"},
        {"kind=not.eq.a", " and not (j.kind = $4::text)", "a"},
        {"kind=like.a*z", " and j.kind like $4::text", "a%z"},
        {"kind=not.ilike.%a", " and not (j.kind ilike $4::text)", "%a"},
        {"batch_id=isdistinct.11111111-1111-1111-1111-111111111111",
         " and j.batch_id is distinct from $4::uuid", "11111111-1111-1111-1111-111111111111"},
        {"status=in.(queued,running)", " and j.status = any ($4::text[]) limit", NULL},
        {"id=not.in.(1,2)", " and not (j.id = any ($4::text[]::bigint[])) limit", NULL},
        {"result=is.null&id=eq.5", " and j.result is null and j.id = $4::bigint limit", "5"},
        {"result=is.not_null", " and j.result is not null limit", NULL},
        {"result=not.is.NULL", " and not (j.result is null) limit", NULL},
        {"order=id", " order by j.id asc limit", NULL},
        {"order=priority.desc,id.asc.nullsfirst",
         " order by j.priority desc, j.id asc nulls first limit", NULL},
        {"order=\"id\".nullslast", " order by j.id asc nulls last limit", NULL},
        {"apikey=x&access_token=y&id=eq.5", " where true and j.id = $4::bigint limit", "5"},
    };

    for (size_t i = 0; i < LENGTH(good); i++) {
        AUTO(buf) struct buf sql = {0};
        struct params params;
        struct arena arena;
        struct rest_query q;

        arena_init(&arena);
        params_init(&params);
        read_query(&q, &arena, good[i].query, NULL);
        if (ok(rest_query_end(&q), "'%s' is understood", good[i].query)) {
            rest_sql(&q, &sql, &params);
            has_str(buf_text(&sql), good[i].sql, "it becomes '%s'", good[i].sql);
            ok(is_of_pieces(buf_text(&sql)), "its SQL consists of our pieces");
            if (good[i].first_value != NULL)
                is_str(params.values[3], good[i].first_value, "its value is a parameter");
        }
        params_release(&params);
        arena_release(&arena);
    }
}

static void
lists(void)
{
    static const struct {
        const char *list;
        size_t n;
        const char *values[3];
    } good[] = {
        {"()", 0, {0}},
        {"(a)", 1, {"a"}},
        {"(a,b,c)", 3, {"a", "b", "c"}},
        {" (a, b) ", 2, {"a", " b"}},
        {"(\"a,b\",\")\")", 2, {"a,b", ")"}},
        {"(\"a\\\"b\",\"c\\\\d\")", 2, {"a\"b", "c\\d"}},
        {"(,)", 2, {"", ""}},
        {"(\"\")", 1, {""}},
        {"(a\"b)", 1, {"a\"b"}},
        {"(\"a\"b)", 1, {"\"a\"b"}},
        {"(.:*%_')", 1, {".:*%_'"}},
    };

    for (size_t i = 0; i < LENGTH(good); i++) {
        struct arena arena;
        struct rest_query q;

        arena_init(&arena);
        rest_query_begin(&q, &arena);
        rest_query_param(&q, "kind", arena_printf(&arena, "in.%s", good[i].list));
        if (ok(rest_query_end(&q), "'%s' is a list", good[i].list)) {
            is_int(q.filters[0].n_list, good[i].n, "of so many values");
            for (size_t v = 0; v < good[i].n && v < q.filters[0].n_list; v++)
                is_str(q.filters[0].list[v], good[i].values[v], "value %zu is its own", v + 1);
        }
        arena_release(&arena);
    }
}

static const struct {
    const char *query;
    int status;
    const char *code, *text;
} bad[] = {
    {"select=bogus", 400, "42703", "column jobs.bogus does not exist"},
    {"select=", 400, "PGRST100", "(line 1, column 1)"},
    {"select=id,", 400, "PGRST100", "(line 1, column 4)"},
    {"select=id::text", 400, "PGRST100", "(id::text)"},
    {"select=payload->a", 400, "PGRST100", "(payload->a)"},
    {"select=id,batches(*)", 400, "PGRST100", "(id,batches(*))"},
    {"select=...batches(id)", 400, "PGRST100", "failed to parse select"},
    {"select=count()", 400, "PGRST100", "failed to parse select"},
    {"select=id.sum()", 400, "PGRST100", "failed to parse select"},
    {"select=a:*", 400, "42703", "column jobs.* does not exist"},
    {"select=\"id", 400, "PGRST100", "failed to parse select"},
    {"select=\"id\"x", 400, "PGRST100", "failed to parse select"},
    {"select=:id", 400, "PGRST100", "failed to parse select"},
    {"select=*,*,id,id,id", 400, "PGRST100", "more than 40 columns"},
    {"bogus=eq.1", 400, "42703", "column jobs.bogus does not exist"},
    {"jobs.id=eq.1", 400, "42703", "column jobs.jobs.id does not exist"},
    {"payload->>a=eq.1", 400, "42703", "does not exist"},
    {"id;drop table jobs=eq.1", 400, "42703", "does not exist"},
    {"id=5", 400, "PGRST100", "failed to parse filter (5)"},
    {"id=bogus.5", 400, "PGRST100", "failed to parse filter (bogus.5)"},
    {"id=not.5", 400, "PGRST100", "failed to parse filter (not.5)"},
    {"id=not.not.eq.5", 400, "PGRST100", "failed to parse filter"},
    {"id=eq(any).{5}", 400, "PGRST100", "failed to parse filter"},
    {"kind=fts.x", 400, "PGRST100", "failed to parse filter"},
    {"payload=cs.{}", 400, "PGRST100", "failed to parse filter"},
    {"payload=eq.{}", 400, "42883", "payload cannot be compared by eq"},
    {"result=in.({})", 400, "42883", "result cannot be compared by in"},
    {"id=like.5", 400, "42883", "id cannot be compared by like"},
    {"id=in.5", 400, "PGRST100", "failed to parse filter (in.5)"},
    {"id=in.(5", 400, "PGRST100", "failed to parse filter (in.(5)"},
    {"id=in.(5)x", 400, "PGRST100", "failed to parse filter"},
    {"id=is.5", 400, "PGRST100", "failed to parse filter (is.5)"},
    {"id=is.true", 400, "42804", "type bigint"},
    {"or=(id.eq.1,id.eq.2)", 400, "PGRST100", "failed to parse logic tree"},
    {"not.and=(id.eq.1)", 400, "PGRST100", "failed to parse logic tree"},
    {"order=", 400, "PGRST100", "failed to parse order"},
    {"order=bogus", 400, "42703", "column jobs.bogus does not exist"},
    {"order=id.up", 400, "PGRST100", "failed to parse order (id.up)"},
    {"order=id.desc.asc", 400, "PGRST100", "failed to parse order"},
    {"order=id.nullsfirst.desc", 400, "PGRST100", "failed to parse order"},
    {"order=payload", 400, "PGRST100", "payload cannot be sorted by"},
    {"order=id,id,id,id,id,id,id,id,id", 400, "PGRST100", "one column too many"},
    {"limit=x", 400, "PGRST100", "limit is not a number: x"},
    {"limit=", 400, "PGRST100", "limit is not a number"},
    {"limit=99999999999999999999", 400, "PGRST100", "limit is not a number"},
    {"limit=-1", 416, "PGRST103", "limit"},
    {"offset=-1", 416, "PGRST103", "offset"},
    {"id=eq.1&id=eq.1&id=eq.1&id=eq.1&id=eq.1&id=eq.1&id=eq.1&id=eq.1&id=eq.1&id=eq.1"
     "&id=eq.1&id=eq.1&id=eq.1",
     400, "PGRST100", "more than 12 filters"},
};

static void
refused(void)
{
    for (size_t i = 0; i < LENGTH(bad); i++) {
        struct arena arena;
        struct rest_query q;

        arena_init(&arena);
        read_query(&q, &arena, bad[i].query, NULL);
        if (ok(!rest_query_end(&q), "'%s' is refused", bad[i].query)) {
            is_int(q.refused.status, bad[i].status, "with this status");
            is_str(q.refused.code, bad[i].code, "and code");
            has_str(q.refused.message, bad[i].text, "and says '%s'", bad[i].text);
        }
        arena_release(&arena);
    }
}

static void
windows(void)
{
    static const struct {
        const char *query, *range, *unit;
        int64_t offset, limit;
    } all[] = {
        {"", NULL, NULL, 0, 1000},
        {"limit=10", NULL, NULL, 0, 10},
        {"limit=0", NULL, NULL, 0, 0},
        {"limit=5000", NULL, NULL, 0, 1000},
        {"offset=5000", NULL, NULL, 5000, 1000},
        {"offset=20&limit=10", NULL, NULL, 20, 10},
        {"limit=9223372036854775807&offset=9223372036854775807", NULL, NULL, INT64_MAX, 1},
        {"", "0-9", NULL, 0, 10},
        {"", "0-9", "items", 0, 10},
        {"", "10-", NULL, 10, 1000},
        {"", "2000-5000", NULL, 2000, 1000},
        {"limit=5", "10-19", NULL, 10, 0},
        {"limit=15", "10-19", NULL, 10, 5},
        {"offset=12", "10-19", NULL, 12, 8},
        {"offset=30", "10-19", NULL, 30, 0},
        {"", "0-9", "bytes", 0, 1000},
        {"", "bytes=0-9", NULL, 0, 1000},
        {"", "-9", NULL, 0, 1000},
        {"", "0-9x", NULL, 0, 1000},
        {"", "0-99999999999999999999", NULL, 0, 1000},
    };

    for (size_t i = 0; i < LENGTH(all); i++) {
        const struct rest_headers headers = {.range = all[i].range, .range_unit = all[i].unit};
        struct arena arena;
        struct rest_query q;

        arena_init(&arena);
        read_query(&q, &arena, all[i].query, &headers);
        ok(rest_query_end(&q), "'%s' of range %s", all[i].query,
           all[i].range != NULL ? all[i].range : "all");
        is_int(q.offset, all[i].offset, "begins here");
        is_int(q.limit, all[i].limit, "and has at most so many rows");
        arena_release(&arena);
    }
}

static void
headers(void)
{
    static const struct {
        struct rest_headers headers;
        int status;
        const char *code;
        bool single, counts, strips;
    } all[] = {
        {{0}, 0, NULL, false, false, false},
        {{.accept = "*/*"}, 0, NULL, false, false, false},
        {{.accept = "application/json"}, 0, NULL, false, false, false},
        {{.accept = "text/html, application/json;q=0.9"}, 0, NULL, false, false, false},
        {{.accept = "application/vnd.pgrst.object+json"}, 0, NULL, true, false, false},
        {{.accept = "Application/vnd.PGRST.object+JSON ; nulls=stripped"},
         0,
         NULL,
         true,
         false,
         true},
        {{.accept = "application/vnd.pgrst.array+json;nulls=stripped"},
         0,
         NULL,
         false,
         false,
         true},
        {{.accept = "text/csv"}, 406, "PGRST107", false, false, false},
        {{.accept = ""}, 406, "PGRST107", false, false, false},
        {{.accept = ",;,"}, 406, "PGRST107", false, false, false},
        {{.accept_profile = "public"}, 0, NULL, false, false, false},
        {{.accept_profile = "pgcrew"}, 406, "PGRST106", false, false, false},
        {{.prefer = "count=exact"}, 0, NULL, false, true, false},
        {{.prefer = "handling=strict , count=exact"}, 0, NULL, false, true, false},
        {{.prefer = "count=estimated"}, 0, NULL, false, true, false},
        {{.prefer = "count=none"}, 0, NULL, false, false, false},
        {{.range = "9-0"}, 416, "PGRST103", false, false, false},
    };

    for (size_t i = 0; i < LENGTH(all); i++) {
        struct arena arena;
        struct rest_query q;

        arena_init(&arena);
        read_query(&q, &arena, "", &all[i].headers);
        is_int(q.refused.status, all[i].status, "headers %zu: refused or not", i);
        is_str(q.refused.code, all[i].code, "with this code");
        ok(all[i].status != 0 || (q.single == all[i].single && q.counts == all[i].counts &&
                                  q.strips_nulls == all[i].strips),
           "single %d, counted %d, without nulls %d", all[i].single, all[i].counts, all[i].strips);
        arena_release(&arena);
    }
}

static void
judged(void)
{
    static const struct {
        const char *query;
        bool single;
        struct rest_found found;
        int status;
        const char *range, *code;
    } all[] = {
        {"", false, {3, -1}, 200, "0-2/*", NULL},
        {"", false, {0, -1}, 200, "*/*", NULL},
        {"", false, {3, 3}, 200, "0-2/3", NULL},
        {"", false, {0, 0}, 200, "*/0", NULL},
        {"limit=3", false, {3, 10}, 206, "0-2/10", NULL},
        {"limit=3&offset=3", false, {3, 10}, 206, "3-5/10", NULL},
        {"limit=0", false, {0, 10}, 206, "*/10", NULL},
        {"offset=10", false, {0, 10}, 206, "*/10", NULL},
        {"offset=11", false, {0, 10}, 416, "*/10", "PGRST103"},
        {"offset=11", false, {0, -1}, 200, "*/*", NULL},
        {"", true, {1, -1}, 200, "0-0/*", NULL},
        {"", true, {0, -1}, 406, "*/*", "PGRST116"},
        {"", true, {2, -1}, 406, "0-1/*", "PGRST116"},
    };

    for (size_t i = 0; i < LENGTH(all); i++) {
        char range[REST_RANGE_SIZE];
        struct arena arena;
        struct rest_query q;

        arena_init(&arena);
        read_query(&q, &arena, all[i].query, NULL);
        q.single = all[i].single;
        ok(rest_query_end(&q), "'%s', %" PRId64 " of %" PRId64, all[i].query, all[i].found.rows,
           all[i].found.total);
        is_int(rest_judge(&q, &all[i].found, range), all[i].status, "has this status");
        is_str(range, all[i].range, "this Content-Range");
        is_str(q.refused.code, all[i].code, "and this code");
        arena_release(&arena);
    }
}

/* What could end a text, a name or a statement, in every place that the client writes. */
static void
no_byte_of_the_client(void)
{
    static const char *const evil[] = {
        "'; drop table jobs; --", "\"", "$1", "\\", "j.id", "(", "]) from pg_shadow --",
        "'||(select 1)||'"};

    for (size_t i = 0; i < LENGTH(evil); i++) {
        AUTO(buf) struct buf sql = {0};
        struct params params;
        struct arena arena;
        struct rest_query q;

        arena_init(&arena);
        params_init(&params);
        rest_query_begin(&q, &arena);
        rest_query_param(&q, "select",
                         arena_printf(&arena, "\"%s%s\":id,kind",
                                      strpbrk(evil[i], "\"\\") != NULL ? "\\" : "", evil[i]));
        rest_query_param(&q, "kind", arena_printf(&arena, "eq.%s", evil[i]));
        rest_query_param(&q, "queue", arena_printf(&arena, "not.like.%s", evil[i]));
        rest_query_param(
            &q, "id",
            arena_printf(&arena, "in.(%s,1)", strchr(evil[i], ')') != NULL ? "" : evil[i]));
        if (ok(rest_query_end(&q), "%s is a name and a value", evil[i])) {
            rest_sql(&q, &sql, &params);
            ok(is_of_pieces(buf_text(&sql)), "nothing of it is in the SQL");
            is_str(q.picks[0].name, evil[i], "the name is whole");
            is_str(params.values[3], evil[i], "so is the value");
        }
        params_release(&params);
        arena_release(&arena);
    }
    ok(!is_of_pieces("select null::bigint; drop table jobs"), "other text would be seen");
    ok(!is_of_pieces("select null::bigint100"), "and numbers that are none of ours");
}

int
main(void)
{
    understood();
    lists();
    refused();
    windows();
    headers();
    judged();
    no_byte_of_the_client();
    return done_testing();
}
