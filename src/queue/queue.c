#include "queue/queue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sqltext.h"

#define STATEMENT(name) static const struct statement st_##name = {"pgcrew_" #name, sql_##name}

STATEMENT(register);
STATEMENT(unregister);
STATEMENT(claim);
STATEMENT(finish);
STATEMENT(limit_time);
STATEMENT(run_sql);
STATEMENT(cancel_backend);
STATEMENT(relax);
STATEMENT(report);
STATEMENT(release_unknown);
STATEMENT(heartbeat);
STATEMENT(reap_process);
STATEMENT(reap_expired);
STATEMENT(promote);
STATEMENT(run_schedules);
STATEMENT(survey);
STATEMENT(waits_for);

static const char *const outcome_names[] = {
    [OUTCOME_SUCCEEDED] = "succeeded", [OUTCOME_FAILED] = "failed",
    [OUTCOME_RETRY] = "retry",         [OUTCOME_AGAIN] = "again",
    [OUTCOME_CANCELLED] = "cancelled", [OUTCOME_RELEASE] = "release",
};

const char *
outcome_name(enum outcome outcome)
{
    return outcome_names[outcome];
}

bool
queue_schema_fits(const struct db_session *session, struct err *err)
{
    int there = session->schema_version;

    if (there >= QUEUE_SCHEMA_VERSION && session->schema_oldest <= QUEUE_SCHEMA_VERSION)
        return true;
    if (there == 0)
        return err_set(err, ERR_CONFIG,
                       "there is no jobs table for role %s: run 'pgcrew migrate', or check that "
                       "this is the right database",
                       session->user);
    if (there < 0)
        return err_set(err, ERR_CONFIG,
                       "public.jobs was not made by pgcrew: use another database, or rename that "
                       "table and run 'pgcrew migrate'");
    if (there < QUEUE_SCHEMA_VERSION)
        return err_set(err, ERR_CONFIG,
                       "the schema has version %d, this program needs %d: run 'pgcrew migrate'",
                       there, QUEUE_SCHEMA_VERSION);
    return err_set(err, ERR_CONFIG,
                   "the schema has version %d, this program knows %d: install a newer pgcrew",
                   there, QUEUE_SCHEMA_VERSION);
}

void
queue_ask_register(struct db *db, const struct queue_worker *w, db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_uuid(&p, &w->process);
    param_text(&p, w->name);
    param_int4(&p, w->slot);
    param_int4(&p, (int32_t)getpid());
    param_text(&p, PACKAGE_VERSION);
    param_texts(&p, w->queues, w->n_queues);
    param_texts(&p, w->kinds, w->n_kinds);
    param_int4(&p, w->slots);
    param_int4(&p, (int32_t)w->lease_ms);
    db_ask(db, &st_register, &p, answer, arg);
}

void
queue_read_register(const PGresult *res, struct arena *a, struct registered *ret)
{
    ret->holder = row_int(res, 0, 0);
    ret->n_tokens = row_int8s(res, 0, 1, a, &ret->tokens);
    ret->origin = row_text(res, 0, 2);
    row_int8s(res, 0, 3, a, &ret->numbers);
}

static void
ask_process(struct db *db, const struct statement *what, const struct uuid *process,
            db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_uuid(&p, process);
    db_ask(db, what, &p, answer, arg);
}

void
queue_ask_unregister(struct db *db, const struct uuid *process, db_answer *answer, void *arg)
{
    ask_process(db, &st_unregister, process, answer, arg);
}

void
queue_ask_relax(struct db *db)
{
    db_ask(db, &st_relax, NULL, NULL, NULL);
}

void
queue_ask_claim(struct db *db, const struct claim *claim, db_answer *answer, void *arg)
{
    const struct places *places = &claim->places;
    struct params p;

    params_init(&p);
    param_int8(&p, claim->holder);
    param_int8s(&p, places->first, places->n);
    param_int8s(&p, places->last, places->n);
    param_texts(&p, claim->kinds, claim->n_kinds);
    param_int4(&p, claim->want);
    param_texts(&p, claim->without, claim->n_without);
    param_bool(&p, claim->stay_idle);
    db_ask(db, &st_claim, &p, answer, arg);
}

void
queue_read_claim(const PGresult *res, int row, struct claimed *ret)
{
    *ret = (struct claimed){
        .token = row_int(res, row, 0),
        .job_id = row_int(res, row, 1),
        .queue = row_text(res, row, 2),
        .priority = (int)row_int(res, row, 3),
        .kind = row_text(res, row, 4),
        .payload = row_text(res, row, 5),
        .payload_len = row_length(res, row, 5),
        .attempt = (int)row_int(res, row, 6),
        .max_attempts = (int)row_int(res, row, 7),
        .batch_id = row_uuid(res, row, 8),
        .user_id = row_uuid(res, row, 9),
        .tempfails = (int)row_int(res, row, 10),
        .waited_us = row_int(res, row, 11),
    };
}

/* The parallel arrays of a finish call, column by column; NULL: nothing to say of any job. */
struct finish_columns {
    int64_t *ids, *waits, *memories;
    const char **outcomes, **results, **errors, **causes, **stderrs;
    int32_t *rans, *exits, *signals, *users, *systems;
};

static int32_t
int4_of(int64_t number)
{
    return (int32_t)(number < INT32_MAX ? number : INT32_MAX);
}

/* What one of these jobs at least has to say. */
struct said {
    bool outcome, wait, result, error, cause, exit, signal, stderr_tail, used;
};

static struct said
what_is_said(const struct finished *jobs, size_t n)
{
    struct said said = {.outcome = false};

    for (const struct finished *f = jobs; f < jobs + n; f++) {
        said.outcome |= f->outcome != OUTCOME_SUCCEEDED;
        said.wait |= f->outcome == OUTCOME_RETRY || f->outcome == OUTCOME_AGAIN;
        said.result |= f->result != NULL;
        said.error |= f->error != NULL;
        said.cause |= f->cause != NULL;
        said.exit |= f->exit_status != -1;
        said.signal |= f->signal != 0;
        said.stderr_tail |= f->stderr_tail != NULL;
        said.used |= f->user_ms != 0 || f->system_ms != 0 || f->max_rss_bytes != 0;
    }
    return said;
}

static void *
column(struct arena *a, bool is_said, size_t n, size_t size)
{
    return is_said ? arena_alloc(a, n * size) : NULL;
}

/* Exit status, times and memory are kept with an attempt, which has a cause. */
static struct finish_columns
finish_columns(struct arena *a, const struct finished *jobs, size_t n)
{
    struct said said = what_is_said(jobs, n);
    struct finish_columns c = {
        .ids = column(a, true, n, sizeof(int64_t)),
        .rans = column(a, true, n, sizeof(int32_t)),
        .outcomes = column(a, said.outcome, n, sizeof(char *)),
        .waits = column(a, said.wait, n, sizeof(int64_t)),
        .results = column(a, said.result, n, sizeof(char *)),
        .errors = column(a, said.error, n, sizeof(char *)),
        .causes = column(a, said.cause, n, sizeof(char *)),
        .exits = column(a, said.cause && said.exit, n, sizeof(int32_t)),
        .signals = column(a, said.cause && said.signal, n, sizeof(int32_t)),
        .stderrs = column(a, said.cause && said.stderr_tail, n, sizeof(char *)),
        .users = column(a, said.cause && said.used, n, sizeof(int32_t)),
        .systems = column(a, said.cause && said.used, n, sizeof(int32_t)),
        .memories = column(a, said.cause && said.used, n, sizeof(int64_t)),
    };

#define PUT(column, value)                                                                         \
    if (c.column != NULL)                                                                          \
    c.column[i] = (value)
    for (size_t i = 0; i < n; i++) {
        PUT(ids, jobs[i].job_id);
        PUT(rans, int4_of(jobs[i].ran_ms));
        PUT(outcomes, outcome_name(jobs[i].outcome));
        PUT(waits, jobs[i].wait_ms);
        PUT(results, jobs[i].result);
        PUT(errors, jobs[i].error);
        PUT(causes, jobs[i].cause);
        PUT(exits, jobs[i].exit_status);
        PUT(signals, jobs[i].signal);
        PUT(stderrs, jobs[i].stderr_tail);
        PUT(users, int4_of(jobs[i].user_ms));
        PUT(systems, int4_of(jobs[i].system_ms));
        PUT(memories, jobs[i].max_rss_bytes);
    }
#undef PUT
    return c;
}

void
queue_ask_finish(struct db *db, int64_t holder, int64_t token, const struct finished *jobs,
                 size_t n, db_answer *answer, void *arg)
{
    struct finish_columns c;
    struct params p;

    params_init(&p);
    c = finish_columns(&p.arena, jobs, n);
    param_int8(&p, holder);
    param_int8(&p, token);
    param_int8s(&p, c.ids, n);
    param_texts(&p, c.outcomes, n);
    param_int4s_or_null(&p, c.rans, n, -1);
    param_int8s(&p, c.waits, n);
    param_texts(&p, c.results, n);
    param_texts(&p, c.errors, n);
    param_texts(&p, c.causes, n);
    param_int4s_or_null(&p, c.exits, n, -1);
    param_int4s_or_null(&p, c.signals, n, 0);
    param_texts(&p, c.stderrs, n);
    param_int4s_or_null(&p, c.users, n, 0);
    param_int4s_or_null(&p, c.systems, n, 0);
    param_int8s(&p, c.memories, n);
    db_ask(db, &st_finish, &p, answer, arg);
}

void
queue_read_finish(const PGresult *res, int row, struct finish_answer *ret)
{
    *ret = (struct finish_answer){
        .job_id = row_int(res, row, 0),
        .status = row_is_null(res, row, 1) ? NULL : row_text(res, row, 1),
        .attempts = (int)row_int(res, row, 2),
        .max_attempts = (int)row_int(res, row, 3),
        .wait_ms = row_is_null(res, row, 4) ? -1 : row_int(res, row, 4),
    };
}

static void
limit_time(struct db *db, int64_t ms)
{
    char text[32];
    struct params p;

    snprintf(text, sizeof(text), "%lld", (long long)ms);
    params_init(&p);
    param_text(&p, text);
    db_ask(db, &st_limit_time, &p, NULL, NULL);
}

void
queue_ask_run_sql(struct db *db, const struct sql_call *call, db_answer *answer, void *arg)
{
    struct params p;

    limit_time(db, call->timeout_ms);
    params_init(&p);
    param_int8(&p, call->holder);
    param_int8(&p, call->token);
    param_int8(&p, call->job_id);
    param_text(&p, call->function);
    param_text(&p, call->role);
    param_bool(&p, call->as_owner);
    param_bool(&p, call->keep);
    db_ask(db, &st_run_sql, &p, answer, arg);
}

void
queue_ask_cancel_backend(struct db *db, int backend_pid, db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_int4(&p, backend_pid);
    db_ask(db, &st_cancel_backend, &p, answer, arg);
}

void
queue_ask_report(struct db *db, int64_t holder, const struct progress *jobs, size_t n,
                 db_answer *answer, void *arg)
{
    int64_t *tokens, *ids;
    int32_t *rans;
    float *percents;
    const char **notes;
    struct params p;

    params_init(&p);
    tokens = arena_alloc(&p.arena, n * sizeof(*tokens));
    ids = arena_alloc(&p.arena, n * sizeof(*ids));
    rans = arena_alloc(&p.arena, n * sizeof(*rans));
    percents = arena_alloc(&p.arena, n * sizeof(*percents));
    notes = arena_alloc(&p.arena, n * sizeof(*notes));
    for (size_t i = 0; i < n; i++) {
        tokens[i] = jobs[i].token;
        ids[i] = jobs[i].job_id;
        rans[i] = int4_of(jobs[i].ran_ms);
        percents[i] = jobs[i].percent < 0 ? NAN : jobs[i].percent;
        notes[i] = jobs[i].note;
    }
    param_int8(&p, holder);
    param_int8s(&p, tokens, n);
    param_int8s(&p, ids, n);
    param_int4s(&p, rans, n);
    param_float4s(&p, percents, n);
    param_texts(&p, notes, n);
    db_ask(db, &st_report, &p, answer, arg);
}

int64_t
queue_read_report(const PGresult *res, int row)
{
    return row_int(res, row, 0);
}

void
queue_ask_release_unknown(struct db *db, int64_t holder, const int64_t *known, size_t n,
                          db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_int8(&p, holder);
    param_int8s(&p, known, n);
    db_ask(db, &st_release_unknown, &p, answer, arg);
}

int64_t
queue_read_release_unknown(const PGresult *res)
{
    return row_int(res, 0, 0);
}

static void
ask_processes(struct db *db, const struct statement *what, const struct uuid *processes, size_t n,
              db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_uuids(&p, processes, n);
    db_ask(db, what, &p, answer, arg);
}

void
queue_ask_heartbeat(struct db *db, const struct uuid *processes, size_t n, db_answer *answer,
                    void *arg)
{
    ask_processes(db, &st_heartbeat, processes, n, answer, arg);
}

struct uuid
queue_read_heartbeat(const PGresult *res, int row, struct arena *a, int64_t **ret_cancels,
                     size_t *ret_n)
{
    *ret_n = row_int8s(res, row, 1, a, ret_cancels);
    return row_uuid(res, row, 0);
}

void
queue_ask_reap_process(struct db *db, const struct uuid *process, const int64_t *running, size_t n,
                       bool only, db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_uuid(&p, process);
    param_int8s(&p, running, n);
    param_bool(&p, only);
    db_ask(db, &st_reap_process, &p, answer, arg);
}

int64_t
queue_read_reap_process(const PGresult *res)
{
    return row_int(res, 0, 0);
}

void
queue_ask_reap_expired(struct db *db, db_answer *answer, void *arg)
{
    db_ask(db, &st_reap_expired, NULL, answer, arg);
}

void
queue_read_reap_expired(const PGresult *res, int row, struct reaped *ret)
{
    *ret = (struct reaped){
        .name = row_text(res, row, 0),
        .slot = (int)row_int(res, row, 1),
        .jobs = row_int(res, row, 2),
    };
}

void
queue_ask_promote(struct db *db, int most, db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_int4(&p, most);
    db_ask(db, &st_promote, &p, answer, arg);
}

int64_t
queue_read_due(const PGresult *res, int64_t *ret_next_ms)
{
    *ret_next_ms = row_is_null(res, 0, 1) ? -1 : row_int(res, 0, 1);
    return row_int(res, 0, 0);
}

void
queue_ask_run_schedules(struct db *db, int most, db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_int4(&p, most);
    db_ask(db, &st_run_schedules, &p, answer, arg);
}

void
queue_ask_waits_for(struct db *db, const struct uuid *processes, size_t n, db_answer *answer,
                    void *arg)
{
    ask_processes(db, &st_waits_for, processes, n, answer, arg);
}

bool
queue_read_waits_for(const PGresult *res, int64_t *ret_cost_ms)
{
    *ret_cost_ms = row_int(res, 0, 1);
    return row_bool(res, 0, 0);
}

void
queue_ask_survey(struct db *db, const char *const *queues, size_t n, db_answer *answer, void *arg)
{
    struct params p;

    params_init(&p);
    param_texts(&p, queues, n);
    db_ask(db, &st_survey, &p, answer, arg);
}

void
queue_read_survey(const PGresult *res, int row, struct surveyed *ret)
{
    *ret = (struct surveyed){
        .queue = row_text(res, row, 0),
        .kind = row_text(res, row, 1),
        .jobs = row_int(res, row, 2),
    };
}
