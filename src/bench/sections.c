/*
 * How each figure is measured: the limit first, then the queue.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "bench/internal.h"

#define LOOK_MS 100
#define STALLED_MS 60000
#define SAMPLE_PAUSE_MS 20 /* workers are idle again by then */
#define HEAR_MS 10000

/* Two rows and a commit: the least that a job and its place in the queue could be. */
#define BARE_JOBS                                                                                  \
    "with j as (insert into pgcrew.bench_job (kind, payload) select '" KIND_NOTHING                \
    "', '{}' from generate_series(1, %d) returning id) "                                           \
    "insert into pgcrew.bench_waits select id from j"
#define BARE_ROWS                                                                                  \
    "truncate pgcrew.bench_bare, pgcrew.bench_marked; "                                            \
    "insert into pgcrew.bench_bare (payload) "                                                     \
    "select '{}' from generate_series(1, %" PRId64 "); "                                           \
    "insert into pgcrew.bench_marked (payload) "                                                   \
    "select '{}' from generate_series(1, %" PRId64 ")"
#define RATE                                                                                       \
    "select count(*) / greatest(extract(epoch from max(finished_at) - min(%s)), 0.001) "           \
    "from public.jobs"
#define JOBS                                                                                       \
    "insert into public.jobs (kind) select '" KIND_NOTHING "' from generate_series(1, %" PRId64 ")"

/* --- what all of them need ------------------------------------------------------------- */

/* No jobs, and no dead rows of earlier ones. */
static bool
start_afresh(struct bench *b, struct err *err)
{
    static const char tables[] =
        "select string_agg(format('%I.%I', 'pgcrew', c.relname), ', ') from pg_class c "
        "where c.relkind = 'r' and c.relnamespace = 'pgcrew'::regnamespace";
    AUTO(result) PGresult *res = NULL;
    AUTO(mem) char *vacuum = NULL;

    if (!bench_script(b->db, "truncate public.jobs", err) ||
        !bench_prepare(b->db, "tables", tables, err) ||
        !bench_call(b->db, "tables", NULL, &res, err) ||
        !bench_script(b->db, "deallocate tables", err))
        return false;
    vacuum = xasprintf("vacuum %s", PQgetvalue(res, 0, 0));
    return bench_script(b->db, vacuum, err);
}

static bool
fill_bare(struct bench *b, int64_t rows, struct err *err)
{
    AUTO(mem) char *fill = xasprintf(BARE_ROWS, rows, rows);

    return bench_script(b->db, fill, err);
}

static bool
fill(struct bench *b, int64_t jobs, struct err *err)
{
    AUTO(mem) char *insert = xasprintf(JOBS, jobs);

    return bench_script(b->db, insert, err);
}

static bool
measure_crowd(struct bench *b, const struct crowd_plan *plan, enum figure figure, struct err *err)
{
    double rate;

    if (!crowd_run(b, plan, &rate, err))
        return false;
    bench_sample(b, figure, rate);
    return true;
}

/* The same call so often, one after the other: calls a second. */
static bool
repeat(struct bench *b, const char *text, int64_t count, double *ret, struct err *err)
{
    int64_t start_ns;

    /* The first call of a session has caches to fill. */
    if (!bench_prepare(b->db, "repeated", text, err) ||
        !bench_call(b->db, "repeated", NULL, NULL, err))
        return false;
    start_ns = clock_mono_ns();
    for (int64_t i = 0; i < count; i++) {
        if (!bench_call(b->db, "repeated", NULL, NULL, err))
            return false;
    }
    *ret = (double)count * 1e9 / (double)(clock_mono_ns() - start_ns);
    return bench_script(b->db, "deallocate repeated", err);
}

static bool
measure_calls(struct bench *b, enum figure figure, const char *text, int64_t count, int rows,
              struct err *err)
{
    double calls;

    if (!repeat(b, text, count, &calls, err))
        return false;
    bench_sample(b, figure, calls * rows);
    return true;
}

/* Until no job waits or runs.  Looking is cheap: what ends first stands first in the table. */
static bool
wait_ended(struct bench *b, struct err *err)
{
    double left = 1, before = -1;
    int64_t moved_ms = clock_mono_ms();

    for (;;) {
        if (!daemon_is_there(b, err) ||
            !bench_number(b->db, "select count(*) from public.jobs where status <> 'succeeded'",
                          &left, err))
            return false;
        if (left <= 0)
            return true;
        if (left < before || before < 0)
            moved_ms = clock_mono_ms();
        if (clock_mono_ms() - moved_ms > STALLED_MS)
            return err_set(err, ERR_RETRY, "no job has ended for %d s", STALLED_MS / 1000);
        before = left;
        pause_ms(LOOK_MS);
    }
}

/* Jobs a second, from one moment of their lives to the last end. */
static bool
measure_jobs(struct bench *b, enum figure figure, const char *since, struct err *err)
{
    AUTO(mem) char *text = xasprintf(RATE, since);
    double rate;

    if (!bench_number(b->db, text, &rate, err))
        return false;
    bench_sample(b, figure, rate);
    return true;
}

/* --- enqueue ----------------------------------------------------------------------------- */

static bool
run_enqueue(struct bench *b, struct err *err)
{
    int64_t calls = plan_calls(b->plan), many = (b->plan->jobs + PUT_ROWS - 1) / PUT_ROWS;
    AUTO(mem) char *bare_one = xasprintf(BARE_JOBS, 1), *bare_many = xasprintf(BARE_JOBS, PUT_ROWS);
    AUTO(mem) char *jobs_many = xasprintf(JOBS, (int64_t)PUT_ROWS);

    return bench_script(b->db, "truncate pgcrew.bench_job, pgcrew.bench_waits", err) &&
           start_afresh(b, err) && measure_calls(b, ENQUEUE_ONE_LIMIT, bare_one, calls, 1, err) &&
           measure_calls(b, ENQUEUE_ONE,
                         "insert into public.jobs (kind) values ('" KIND_NOTHING "')", calls, 1,
                         err) &&
           measure_calls(b, ENQUEUE_MANY_LIMIT, bare_many, many, PUT_ROWS, err) &&
           measure_calls(b, ENQUEUE_MANY, jobs_many, many, PUT_ROWS, err);
}

/* --- drain, single ------------------------------------------------------------------------ */

static bool
run_jobs(struct bench *b, int64_t jobs, int claim_max, enum figure figure, struct err *err)
{
    return start_afresh(b, err) && daemon_start(b, claim_max, err) && fill(b, jobs, err) &&
           wait_ended(b, err) && daemon_stop(b, err) && measure_jobs(b, figure, "started_at", err);
}

static bool
run_drain(struct bench *b, struct err *err)
{
    struct crowd_plan limit = {.n = b->plan->workers, .batch = TAKE_ROWS, .what = CROWD_TAKE};

    return fill_bare(b, b->plan->jobs, err) && measure_crowd(b, &limit, DRAIN_LIMIT, err) &&
           run_jobs(b, b->plan->jobs, 0, DRAIN_RATE, err);
}

static bool
run_single(struct bench *b, struct err *err)
{
    struct crowd_plan limit = {.n = b->plan->workers, .batch = 1, .what = CROWD_CLAIM};
    int64_t jobs = plan_single(b->plan);

    return fill_bare(b, jobs, err) && measure_crowd(b, &limit, SINGLE_LIMIT, err) &&
           run_jobs(b, jobs, 1, SINGLE_RATE, err);
}

/* --- life ---------------------------------------------------------------------------------- */

/* Of the whole server, so what else is written there meanwhile counts, too. */
static bool
read_wal(struct bench *b, double *ret, struct err *err)
{
    *ret = 0;
    return !b->plan->reads_wal ||
           bench_number(b->db, "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn", ret, err);
}

static bool
enqueue_all(struct bench *b, struct err *err)
{
    AUTO(mem) char *many = xasprintf(JOBS, (int64_t)PUT_ROWS);

    for (int64_t left = b->plan->jobs; left > 0; left -= PUT_ROWS) {
        if (left >= PUT_ROWS ? !bench_script(b->db, many, err) : !fill(b, left, err))
            return false;
    }
    return true;
}

static bool
run_life(struct bench *b, struct err *err)
{
    struct crowd_plan limit = {
        .n = b->plan->workers, .batch = TAKE_ROWS, .rows = b->plan->jobs, .what = CROWD_LIFE};
    double before, after;

    if (!fill_bare(b, 0, err) || !measure_crowd(b, &limit, LIFE_LIMIT, err) ||
        !start_afresh(b, err) || !daemon_start(b, 0, err) || !read_wal(b, &before, err) ||
        !enqueue_all(b, err) || !wait_ended(b, err) || !read_wal(b, &after, err) ||
        !daemon_stop(b, err) || !measure_jobs(b, LIFE_RATE, "created_at", err))
        return false;
    if (b->plan->reads_wal)
        bench_sample(b, LIFE_WAL, (after - before) / (double)b->plan->jobs);
    return true;
}

/* --- latency ------------------------------------------------------------------------------- */

static bool
hear(struct session *ear, struct err *err)
{
    PGnotify *note;

    while ((note = PQnotifies(session_conn(ear))) == NULL) {
        struct pollfd ready = {.fd = PQsocket(session_conn(ear)), .events = POLLIN};
        int n = poll(&ready, 1, HEAR_MS);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 || !PQconsumeInput(session_conn(ear)))
            return err_set(err, ERR_RETRY, "a NOTIFY did not arrive");
    }
    PQfreemem(note);
    return true;
}

/* Ends when the listener has heard it, which may be before the caller gets his answer. */
static bool
say_and_hear(struct session *mouth, struct session *ear, double *ret_ms, struct err *err)
{
    int64_t start_ns = clock_mono_ns();
    PGresult *res;

    if (!PQsendQueryPrepared(session_conn(mouth), "say", 0, NULL, NULL, NULL, 0) || !hear(ear, err))
        return err_set(err, ERR_RETRY, "a NOTIFY did not arrive");
    *ret_ms = (double)(clock_mono_ns() - start_ns) / 1e6;
    while ((res = PQgetResult(session_conn(mouth))) != NULL)
        PQclear(res);
    return true;
}

static void
sample_latency(const struct bench *b, enum figure p50, enum figure p95, enum figure p99,
               double *values, size_t n)
{
    bench_sample(b, p50, percentile_of(values, n, 50));
    bench_sample(b, p95, percentile_of(values, n, 95));
    bench_sample(b, p99, percentile_of(values, n, 99));
}

static bool
measure_listener(struct bench *b, size_t n, struct err *err)
{
    AUTO(mem) double *values = xcalloc(n, sizeof(*values));
    AUTO(session) struct session *ear = NULL;

    if (!bench_open(b->conf, &ear, err) || !bench_script(ear, "listen pgcrew", err) ||
        !bench_prepare(b->db, "say", "select pg_notify('pgcrew', '')", err))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!say_and_hear(b->db, ear, &values[i], err))
            return false;
        pause_ms(SAMPLE_PAUSE_MS);
    }
    sample_latency(b, LATENCY_LIMIT_P50, LATENCY_LIMIT_P95, LATENCY_LIMIT_P99, values, n);
    return true;
}

static bool
enqueue_stamped(struct bench *b, size_t n, struct err *err)
{
    char now[32];

    if (!bench_prepare(b->db, "enqueue",
                       "insert into public.jobs (kind, payload) values ('" KIND_STAMPED
                       "', to_jsonb($1::bigint))",
                       err))
        return false;
    for (size_t i = 0; i < n; i++) {
        snprintf(now, sizeof(now), "%" PRId64, clock_mono_ns() / 1000);
        if (!bench_call(b->db, "enqueue", now, NULL, err))
            return false;
        pause_ms(SAMPLE_PAUSE_MS);
    }
    return true;
}

static bool
measure_starts(struct bench *b, size_t n, struct err *err)
{
    AUTO(mem) double *values = xcalloc(n, sizeof(*values));
    AUTO(result) PGresult *res = NULL;

    if (!bench_prepare(b->db, "ages",
                       "select result #>> '{}' from public.jobs where kind = '" KIND_STAMPED "'",
                       err) ||
        !bench_call(b->db, "ages", NULL, &res, err))
        return false;
    if (PQntuples(res) != (int)n)
        return err_set(err, ERR_PERMANENT, "%d of %zu jobs left their time", PQntuples(res), n);
    for (size_t i = 0; i < n; i++)
        values[i] = atof(PQgetvalue(res, (int)i, 0)) / 1000;
    sample_latency(b, LATENCY_P50, LATENCY_P95, LATENCY_P99, values, n);
    return true;
}

/* Each worker has run something before: what a first job costs is not what the next one does. */
static bool
run_latency(struct bench *b, struct err *err)
{
    size_t n = (size_t)plan_samples(b->plan);

    return measure_listener(b, n, err) && start_afresh(b, err) && daemon_start(b, 0, err) &&
           fill(b, b->plan->workers * 10, err) && wait_ended(b, err) &&
           enqueue_stamped(b, n, err) && wait_ended(b, err) && daemon_stop(b, err) &&
           measure_starts(b, n, err);
}

bool (*const section_runs[SECTIONS])(struct bench *b, struct err *err) = {
    [ENQUEUE] = run_enqueue, [DRAIN] = run_drain,     [SINGLE] = run_single,
    [LIFE] = run_life,       [LATENCY] = run_latency,
};
