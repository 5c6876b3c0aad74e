/*
 * Jobs whose handler is a SQL function.
 *
 * They have a session of their own, so that a long function holds up nobody else's
 * finish.  Function and finish are one transaction (pgcrew.run_sql()): when its answer
 * says that it is committed, the job is settled; when it failed, nothing of it happened
 * and the job is finished like any other, over the worker's own session.  When the answer
 * is lost, the job is given back over there: if the transaction was committed, there is no
 * claim left and nothing is given back; if it is still running, it will find no claim and
 * undo itself.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/error.h"
#include "handler/way.h"
#include "worker/internal.h"

/* What pgcrew.run_sql() and the functions of users may raise; the numbers are sysexits. */
#define SQLSTATE_CANNOT_RUN "PC002"
#define SQLSTATE_NEVER "PC065"
#define SQLSTATE_LATER "PC075"
#define SQLSTATE_CANCELLED "57014"

struct sql_run {
    TAILQ_ENTRY(sql_run) link;
    struct run *run;
    int64_t sent_mono_ms; /* 0: the session is not up yet */
    bool asked;           /* to end early */
    enum run_cause asked_cause;
    bool is_cancelling; /* the server was told */
    int cancels;        /* how often */
};

TAILQ_HEAD(sql_list, sql_run);

/* Of this process. */
static struct {
    struct worker *worker;
    struct db *db;
    int backend_pid;
    bool cancel_is_loose; /* one was sent for a function that ended before it came */
    struct sql_list list; /* in the order of the server's answers */
} s = {.list = TAILQ_HEAD_INITIALIZER(s.list)};

/* --- the end -------------------------------------------------------------------------- */

static void
end_run(struct sql_run *x, struct run_end *end)
{
    struct run *run = x->run;

    TAILQ_REMOVE(&s.list, x, link);
    /* One has ended it, if anything was asked for and came about. */
    s.cancel_is_loose |= x->cancels > (end->cause == x->asked_cause ? 1 : 0);
    if (x->sent_mono_ms > 0)
        end->ran_ms = clock_mono_ms() - x->sent_mono_ms;
    run->events->ended(run, end); /* the run may be gone now, and x with it */
}

static void
end_asked(struct sql_run *x)
{
    struct run_end end = RUN_END(x->asked_cause);

    end.error = way_asked_error(x->run, x->asked_cause);
    end_run(x, &end);
}

/*
 * The statement was ended by the server: we asked for it, its time was over, somebody did it,
 * or it was hit by what was meant for the one before.
 */
static enum run_cause
cause_of_cancel(const struct sql_run *x)
{
    if (x->asked)
        return x->asked_cause;
    if (clock_mono_ms() - x->sent_mono_ms >= x->run->handler->timeout_ms)
        return RUN_TIMEOUT;
    if (!s.cancel_is_loose)
        return RUN_TEMPFAIL;
    s.cancel_is_loose = false;
    return RUN_STOPPED;
}

static const struct {
    const char *state; /* the first letters of a SQLSTATE */
    enum run_cause cause;
} causes[] = {
    {SQLSTATE_CANNOT_RUN, RUN_NO_START},
    {SQLSTATE_NEVER, RUN_PERMANENT},
    {SQLSTATE_LATER, RUN_TEMPFAIL},
    {"40", RUN_TEMPFAIL}, /* deadlock, serialization: again, it is nobody's fault */
    {"53", RUN_TEMPFAIL}, /* the server is short of something */
    {"55P03", RUN_TEMPFAIL},
};

static enum run_cause
cause_of_error(const struct sql_run *x, const struct err *err)
{
    if (strcmp(err->sqlstate, SQLSTATE_CANCELLED) == 0)
        return cause_of_cancel(x);
    for (size_t i = 0; i < LENGTH(causes); i++) {
        if (strncmp(err->sqlstate, causes[i].state, strlen(causes[i].state)) == 0)
            return causes[i].cause;
    }
    return RUN_FAILED;
}

static void
failed(struct sql_run *x, const struct err *err)
{
    struct run_end end = RUN_END(RUN_TEMPFAIL);

    if (err->class == ERR_UNCERTAIN) {
        task_of(x->run)->unsure = true;
        end.error =
            arena_printf(&x->run->arena, "the session of its function was lost: %s", err->text);
        end_run(x, &end);
        return;
    }
    end.cause = cause_of_error(x, err);
    if (x->asked && end.cause == x->asked_cause) {
        end_asked(x);
        return;
    }
    end.error = end.cause == RUN_TIMEOUT
                    ? way_asked_error(x->run, RUN_TIMEOUT)
                    : arena_printf(&x->run->arena, "%s (SQLSTATE %s)", err->text, err->sqlstate);
    end_run(x, &end);
}

static void
succeeded(struct sql_run *x, const PGresult *res)
{
    struct run_end end = RUN_END(RUN_SETTLED);
    struct finish_answer answer;

    if (PQntuples(res) == 0) {
        x->run->way = NULL; /* there is nothing to kill any more */
        running_lose(task_of(x->run), "its claim has been taken away");
        end.cause = RUN_STOPPED;
    } else {
        queue_read_finish(res, 0, &answer);
        counting_ran(task_of(x->run), clock_mono_ms() - x->sent_mono_ms);
        finishing_settled(task_of(x->run), &answer);
    }
    end_run(x, &end);
}

/* --- asking --------------------------------------------------------------------------- */

static void
on_cancelled(void *arg, const PGresult *res, const struct err *err)
{
    struct sql_run *x;

    (void)arg;
    (void)res;
    if (err == NULL)
        return;
    if (err->class != ERR_UNCERTAIN) {
        log_warn("cannot stop a SQL function: %s; its timeout will", err->text);
        return;
    }
    /* Perhaps the server never heard of it: again, with the next session. */
    TAILQ_FOREACH (x, &s.list, link)
        x->is_cancelling = false;
}

/* The server works on the first of the list. */
static void
cancel_first(void)
{
    struct sql_run *x = TAILQ_FIRST(&s.list);

    if (x == NULL || !x->asked || x->is_cancelling || x->sent_mono_ms == 0 ||
        s.worker->holding != HOLDING)
        return;
    x->is_cancelling = true;
    x->cancels++;
    queue_ask_cancel_backend(s.worker->db, s.backend_pid, on_cancelled, NULL);
    db_commit(s.worker->db);
}

static void
on_answer(void *arg, const PGresult *res, const struct err *err)
{
    struct sql_run *x = arg;

    if (res != NULL)
        succeeded(x, res);
    else
        failed(x, err);
    cancel_first();
}

static void
send_run(struct sql_run *x)
{
    const struct handler_conf *h = x->run->handler;
    struct sql_call call = {
        .holder = s.worker->holder,
        .token = x->run->job.token,
        .job_id = x->run->job.id,
        .function = h->sql,
        .role = h->role,
        .as_owner = h->as_owner == CONF_YES,
        .keep = h->keep_attempts == CONF_KEEP_ALL,
        .timeout_ms = h->timeout_ms,
    };

    x->sent_mono_ms = clock_mono_ms();
    queue_ask_run_sql(s.db, &call, on_answer, x);
    db_commit(s.db);
}

static void
send_all(void)
{
    struct sql_run *x;

    TAILQ_FOREACH (x, &s.list, link) {
        if (x->sent_mono_ms == 0 && db_is_up(s.db) && s.worker->holding == HOLDING)
            send_run(x);
    }
}

void
sqlway_turn(void)
{
    if (s.db == NULL)
        return;
    send_all();
    cancel_first();
}

/* --- the session ------------------------------------------------------------------------ */

static void
on_up(void *owner, const struct db_session *session)
{
    (void)owner;
    s.backend_pid = session->backend_pid;
    send_all();
}

/* What was sent has been answered by now; the rest shall not wait in here. */
static void
on_down(void *owner, const struct err *why, int64_t wait_ms)
{
    struct sql_run *x;

    (void)owner;
    (void)wait_ms;
    s.backend_pid = 0;
    s.cancel_is_loose = false;
    while ((x = TAILQ_FIRST(&s.list)) != NULL) {
        struct run_end end = RUN_END(RUN_NO_START);

        end.error =
            arena_printf(&x->run->arena, "there is no session for SQL functions: %s", why->text);
        end_run(x, &end);
    }
}

static const struct db_events session_events = {.up = on_up, .down = on_down};

static int64_t
longest_timeout_ms(const struct conf *conf)
{
    int64_t longest = conf->statement_timeout_ms;

    for (size_t i = 0; i < conf->n_handlers; i++) {
        if (conf->handlers[i].way == CONF_SQL && conf->handlers[i].timeout_ms > longest)
            longest = conf->handlers[i].timeout_ms;
    }
    return longest;
}

static bool
start_session(struct worker *w, struct err *err)
{
    struct db_options options = holding_options(w, "/sql");

    options.statement_timeout_ms = longest_timeout_ms(w->conf);
    s.worker = w;
    if (!db_new(w->loop, &options, &session_events, w, &s.db, err))
        return false;
    db_start(s.db);
    return true;
}

/* --- the way ---------------------------------------------------------------------------- */

static bool
sql_start(struct run *run, struct err *err)
{
    struct sql_run *x;

    if (s.db == NULL && !start_session(task_of(run)->worker, err))
        return false;
    x = arena_alloc(&run->arena, sizeof(*x));
    x->run = run;
    run->way = x;
    TAILQ_INSERT_TAIL(&s.list, x, link);
    send_all();
    return true;
}

static void
sql_stop(struct run *run, enum run_cause cause)
{
    struct sql_run *x = run->way;

    if (x == NULL || x->asked)
        return;
    x->asked = true;
    x->asked_cause = cause;
    if (x->sent_mono_ms == 0)
        end_asked(x);
    else
        cancel_first();
}

/*
 * There may be no session to say it over: what the function did is undone when it finds no
 * claim at its end.
 */
static void
sql_kill(struct run *run, enum run_cause cause)
{
    sql_stop(run, cause);
}

static void
sql_forget(struct run *run)
{
    run->way = NULL; /* all of it is in the run's arena */
}

static void
sql_end(void)
{
    db_free(s.db);
    s.db = NULL;
}

const struct way way_sql = {
    .end = sql_end,
    .start = sql_start,
    .stop = sql_stop,
    .kill = sql_kill,
    .forget = sql_forget,
};
