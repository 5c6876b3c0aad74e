/*
 * The life of a session: connect, greet, be up, be lost, wait, connect again.
 */
#include "db/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "db/error.h"
#include "db/internal.h"
#include "sqltext.h"

#define FIRST_WAIT_MS 50
#define LONGEST_WAIT_MS 2000
#define HEALTHY_MS 1000 /* a session that has worked so long was not refused */
/* The comment that migrations write on public.jobs. */
#define SCHEMA_COMMENT "pgcrew job queue; schema version %d; programs since %d"

static const char no_answer[] = "the server did not answer in time";

static const struct statement hello = {"pgcrew_hello", sql_db_hello};
static const struct statement settings = {"pgcrew_settings", sql_db_settings};
static const struct statement listen_for_news = {"pgcrew_listen", sql_db_listen};

static void connect_now(struct db *db);

static void
close_session(struct db *db)
{
    ev_io_stop(db->loop, &db->io);
    ev_timer_stop(db->loop, &db->timer);
    if (db->conn != NULL)
        PQfinish(db->conn);
    db->conn = NULL;
}

void
db_lost(struct db *db, const struct err *why)
{
    struct err copy = *why;
    int64_t healthy_ms = db->state == DB_UP ? clock_mono_ms() - db->up_mono_ms : 0, wait_ms;

    close_session(db);
    db->state = DB_WAITING;
    pipeline_fail(db, &copy);
    pipeline_forget(db);
    wait_ms = backoff_jitter(backoff_failed(&db->backoff, healthy_ms));
    loop_timer_in(db->loop, &db->timer, wait_ms);
    db->events->down(db->owner, &copy, wait_ms);
}

static void
lost_because(struct db *db, enum err_class class, const char *text)
{
    struct err why;

    err_set(&why, class, "%s", text);
    db_lost(db, &why);
}

void
db_restart(struct db *db, enum err_class class, const char *why)
{
    if (db->state != DB_UP && db->state != DB_GREETING)
        return;
    /* Not at once: the caller may be an answer in the middle of pipeline_read(). */
    err_set(&db->failed, class, "%s", why);
    db->ends_session = true;
    ev_feed_event(db->loop, &db->io, EV_READ);
}

static void
now_up(struct db *db)
{
    db->state = DB_UP;
    db->up_mono_ms = clock_mono_ms();
    db->events->up(db->owner, &db->session);
}

static void
on_settings(void *arg, const PGresult *res, const struct err *err)
{
    struct db *db = arg;

    if (err != NULL && err->class != ERR_UNCERTAIN)
        db_restart(db, err->class, err->text);
    else if (res != NULL && !(db->options.listen && !db->session.poll_only))
        now_up(db);
}

static void
on_listen(void *arg, const PGresult *res, const struct err *err)
{
    (void)err; /* on_settings has it: they are one transaction */
    if (res != NULL)
        now_up(arg);
}

static void
set_up_session(struct db *db)
{
    struct params p;
    char timeout[32];

    snprintf(timeout, sizeof(timeout), "%lld", (long long)db->options.statement_timeout_ms);
    params_init(&p);
    param_text(&p, timeout);
    param_text(&p, db->options.role);
    db_ask(db, &settings, &p, on_settings, db);
    if (db->options.listen)
        db_ask(db, &listen_for_news, NULL, on_listen, db);
    db_commit(db);
}

bool
db_read_schema(const char *comment, int *ret_version, int *ret_oldest)
{
    int version, oldest, n = sscanf(comment, SCHEMA_COMMENT, &version, &oldest);

    if (n < 1)
        return false;
    *ret_version = version;
    *ret_oldest = n == 2 ? oldest : version;
    return true;
}

static void
note_schema(struct db_session *session, bool is_there, const char *comment)
{
    if (is_there && !db_read_schema(comment, &session->schema_version, &session->schema_oldest))
        session->schema_version = -1;
}

static void
on_hello(void *arg, const PGresult *res, const struct err *err)
{
    struct db *db = arg;

    if (err != NULL) {
        db_restart(db, err->class, err->text);
        return;
    }
    if (row_bool(res, 0, 1)) {
        db_restart(db, ERR_RETRY, "this server is a read replica; the primary is needed");
        return;
    }
    snprintf(db->user, sizeof(db->user), "%s", row_text(res, 0, 5));
    db->session = (struct db_session){
        .backend_pid = (int)row_int(res, 0, 0),
        .poll_only = row_int(res, 0, 0) != PQbackendPID(db->conn),
        .server_version = (int)row_int(res, 0, 2),
        .user = db->user,
    };
    note_schema(&db->session, row_bool(res, 0, 3), row_text(res, 0, 4));
    if (db->session.poll_only)
        now_up(db);
    else
        set_up_session(db);
}

static void
greet(struct db *db)
{
    ev_timer_stop(db->loop, &db->timer);
    if (PQsetnonblocking(db->conn, 1) != 0 || PQenterPipelineMode(db->conn) != 1) {
        lost_because(db, ERR_RETRY, "libpq refuses pipeline mode");
        return;
    }
    db->state = DB_GREETING;
    db_ask(db, &hello, NULL, on_hello, db);
    db_commit(db);
}

static void
watch(struct db *db, int events)
{
    /* libpq may change its socket between two polls. */
    ev_io_stop(db->loop, &db->io);
    ev_io_set(&db->io, PQsocket(db->conn), events);
    ev_io_start(db->loop, &db->io);
}

static void
go_on_connecting(struct db *db)
{
    struct err err;

    switch (PQconnectPoll(db->conn)) {
    case PGRES_POLLING_READING:
        watch(db, EV_READ);
        break;
    case PGRES_POLLING_WRITING:
        watch(db, EV_WRITE);
        break;
    case PGRES_POLLING_OK:
        greet(db);
        break;
    case PGRES_POLLING_ACTIVE:
        break;
    case PGRES_POLLING_FAILED:
        if (db->was_silent)
            err_set(&err, ERR_RETRY, "%s", no_answer);
        else
            db_error_of_connection(&err, db->conn, false);
        db_lost(db, &err);
        break;
    }
}

/*
 * libpq watches over connect_timeout, and goes on to the next host after it, only where it
 * blocks.  A socket that fails makes it go on here, too; a host that took the connection and
 * then says nothing does not, so next time that one comes last.
 */
static void
host_is_silent(struct db *db)
{
    if (PQstatus(db->conn) == CONNECTION_STARTED && shutdown(PQsocket(db->conn), SHUT_RDWR) == 0) {
        db->was_silent = true;
        loop_timer_in(db->loop, &db->timer, db->options.connect_timeout_ms);
        return;
    }
    target_turn(&db->target);
    lost_because(db, ERR_RETRY, no_answer);
}

static void
on_io(struct ev_loop *loop, ev_io *w, int events)
{
    struct db *db = w->data;
    struct err err;

    (void)loop;
    (void)events;
    if (db->state == DB_CONNECTING)
        go_on_connecting(db);
    else if (db->conn != NULL && !pipeline_read(db, &err))
        db_lost(db, &err);
}

static void
on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
    struct db *db = w->data;

    (void)loop;
    (void)events;
    if (db->state == DB_WAITING)
        connect_now(db);
    else if (db->state == DB_CONNECTING)
        host_is_silent(db);
    else if (db->commits > 0)
        lost_because(db, ERR_UNCERTAIN, "the server did not answer a statement in time");
}

/* Notices of the server (warnings, the reason of a shutdown) are log lines, not stderr text. */
static void
on_notice(void *arg, const PGresult *res)
{
    const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

    (void)arg;
    log_debug("the server says: %s: %s", severity != NULL ? severity : "NOTICE",
              text != NULL ? text : "");
}

static void
connect_now(struct db *db)
{
    struct err err;

    db->state = DB_CONNECTING;
    db->was_silent = false;
    db->conn = fault_fails("session.connects", ENOMEM)
                   ? NULL
                   : PQconnectStartParams(db->target.keys, db->target.values, 1);
    if (db->conn == NULL || PQstatus(db->conn) == CONNECTION_BAD || PQsocket(db->conn) < 0) {
        if (db->conn != NULL)
            db_error_of_connection(&err, db->conn, false);
        else
            err_set(&err, ERR_RETRY, "libpq has no memory");
        db_lost(db, &err);
        return;
    }
    PQsetNoticeReceiver(db->conn, on_notice, db);
    watch(db, EV_WRITE);
    loop_timer_in(db->loop, &db->timer, db->options.connect_timeout_ms);
}

bool
db_new(struct ev_loop *loop, const struct db_options *options, const struct db_events *events,
       void *owner, struct db **ret_db, struct err *err)
{
    struct target target;
    struct db *db;

    if (!target_init(&target, options->url, options->application_name, options->connect_timeout_ms,
                     err)) {
        target_release(&target);
        return false;
    }
    db = xmalloc(sizeof(*db));
    *db = (struct db){
        .loop = loop,
        .options = *options,
        .events = events,
        .owner = owner,
        .target = target,
        .backoff = {FIRST_WAIT_MS, LONGEST_WAIT_MS, HEALTHY_MS, 0},
    };
    db->last = &db->first;
    loop_io_init(&db->io, on_io, -1, EV_READ);
    loop_timer_init(&db->timer, on_timer);
    db->io.data = db->timer.data = db;
    *ret_db = db;
    return true;
}

void
db_start(struct db *db)
{
    db->state = DB_WAITING;
    loop_timer_in(db->loop, &db->timer, 0);
}

void
db_free(struct db *db)
{
    if (db == NULL)
        return;
    close_session(db);
    pipeline_forget(db);
    target_release(&db->target);
    free(db);
}

bool
db_is_up(const struct db *db)
{
    return db->state == DB_UP;
}

uint64_t
db_round_trips(const struct db *db)
{
    return db->round_trips;
}

const char *
db_shown(const struct db *db)
{
    return db->target.shown;
}
