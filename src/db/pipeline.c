/*
 * Statements out, answers in.
 *
 * An answer is given to its asker only when the commit that closes its
 * transaction has been answered: before that, "DELETE 1" is only a hope.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "db/error.h"
#include "db/internal.h"
#include "db/rename.h"

#define POINT_SIZE 64

static void
push(struct db *db, const struct item *like)
{
    struct item *item = xmalloc(sizeof(*item));

    *item = *like;
    item->next = NULL;
    *db->last = item;
    db->last = &item->next;
}

static struct item *
pop(struct db *db)
{
    struct item *item = db->first;

    db->first = item->next;
    if (db->first == NULL)
        db->last = &db->first;
    return item;
}

static void
item_free(struct item *item)
{
    PQclear(item->res);
    free(item);
}

static bool
is_prepared(const struct db *db, const struct statement *what)
{
    for (size_t i = 0; i < db->n_prepared; i++) {
        if (db->prepared[i] == what)
            return true;
    }
    return false;
}

static void
forget_prepared(struct db *db, const struct statement *what)
{
    for (size_t i = 0; i < db->n_prepared; i++) {
        if (db->prepared[i] == what)
            db->prepared[i] = db->prepared[--db->n_prepared];
    }
}

/* What is sent for it; room keeps a text that is not its own. */
static const char *
text_of(const struct db *db, const struct statement *what, struct buf *room)
{
    if (db->options.schema == NULL)
        return what->sql;
    rename_queue(what->sql, db->options.schema, room);
    return buf_text(room);
}

static bool
prepare(struct db *db, const struct statement *what)
{
    AUTO(buf) struct buf room = {0};

    if (is_prepared(db, what))
        return true;
    if (db->n_prepared == PREPARED_MAX ||
        !PQsendPrepare(db->conn, what->name, text_of(db, what, &room), 0, NULL))
        return false;
    db->prepared[db->n_prepared++] = what;
    push(db, &(struct item){.kind = ITEM_PREPARE, .what = what});
    return true;
}

static bool
send_ask(struct db *db, const struct statement *what, const struct params *p)
{
    AUTO(buf) struct buf room = {0};

    if (db->session.poll_only || db->state != DB_UP || what->name == NULL)
        return PQsendQueryParams(db->conn, text_of(db, what, &room), p->n, NULL, p->values,
                                 p->lengths, p->formats, 1);
    return prepare(db, what) &&
           PQsendQueryPrepared(db->conn, what->name, p->n, p->values, p->lengths, p->formats, 1);
}

/* --- failure points of every statement -------------------------------------------------- */

/*
 * pgcrew_claim has points of its own, user_enqueue those of "user", desk_search those of "desk";
 * what has no name is not alone in its transaction.
 */
static const char *
point_of(const struct statement *what, char ret[POINT_SIZE])
{
    static const char ours[] = "pgcrew_";

    if (what->name == NULL)
        return NULL;
    if (strncmp(what->name, ours, strlen(ours)) == 0)
        return what->name + strlen(ours);
    snprintf(ret, POINT_SIZE, "%.*s", (int)strcspn(what->name, "_"), what->name);
    return ret;
}

static bool
fails_at(const struct statement *what, const char *step, int error)
{
    char room[POINT_SIZE];
    const char *point = point_of(what, room);

    return point != NULL && fault_fails_at(point, step, error);
}

static void
break_connection(const struct db *db)
{
    shutdown(PQsocket(db->conn), SHUT_RDWR);
}

/* Those from item to the end of its transaction; true when the call is to fail for one of them. */
static bool
fault_of_each(const struct item *item, const char *step)
{
    bool fails = false;

    for (; FAULTS && item != NULL && item->kind != ITEM_COMMIT; item = item->next) {
        if (item->kind == ITEM_ASK)
            fails |= fails_at(item->what, step, ECONNRESET);
    }
    return fails;
}

static const struct item *
newest_transaction(const struct db *db)
{
    const struct item *first = db->first;

    for (const struct item *item = first; item != NULL && item->next != NULL; item = item->next) {
        if (item->kind == ITEM_COMMIT)
            first = item->next;
    }
    return first;
}

/* --- asking and answering ----------------------------------------------------------------- */

void
db_ask(struct db *db, const struct statement *what, struct params *params, db_answer *answer,
       void *arg)
{
    static const struct params none;

    if (fails_at(what, "begins", ECONNRESET))
        break_connection(db);
    /*
     * A statement that could not be sent means that the connection is broken: the
     * next read finds that out and answers everything, this one too.
     */
    if (!send_ask(db, what, params != NULL ? params : &none))
        ev_feed_event(db->loop, &db->io, EV_READ);
    push(db, &(struct item){.kind = ITEM_ASK, .what = what, .answer = answer, .arg = arg});
    params_release(params);
}

void
db_commit(struct db *db)
{
    if (!PQpipelineSync(db->conn))
        ev_feed_event(db->loop, &db->io, EV_READ);
    push(db, &(struct item){.kind = ITEM_COMMIT});
    db->commits++;
    db->round_trips++;
    pipeline_flush(db);
    if (FAULTS && fault_of_each(newest_transaction(db), "sent"))
        break_connection(db);
}

void
pipeline_flush(struct db *db)
{
    int events = EV_READ, left = PQflush(db->conn);

    if (left < 0) /* the reader says why */
        ev_feed_event(db->loop, &db->io, EV_READ);
    if (left > 0)
        events |= EV_WRITE;
    if (events != (db->io.events & (EV_READ | EV_WRITE)) || !ev_is_active(&db->io)) {
        ev_io_stop(db->loop, &db->io);
        ev_io_set(&db->io, PQsocket(db->conn), events);
        ev_io_start(db->loop, &db->io);
    }
    if (db->commits > 0 && !ev_is_active(&db->timer))
        loop_timer_in(db->loop, &db->timer, db->options.statement_timeout_ms + 10000);
}

/* Take the transaction at the head off the queue: what is asked meanwhile is not in it. */
static struct item *
pop_transaction(struct db *db)
{
    struct item *first = db->first, *last;

    do
        last = pop(db);
    while (last->kind != ITEM_COMMIT);
    last->next = NULL;
    db->commits--;
    return first;
}

/* The transaction at the head of the queue is over: tell everybody who asked in it. */
static void
answer_transaction(struct db *db)
{
    struct err failed = db->failed;
    struct item *all = pop_transaction(db), *item;

    err_clear(&db->failed);
    for (item = all; item != NULL; item = item->next) {
        if (item->kind != ITEM_ASK)
            continue;
        if (item->answer != NULL)
            item->answer(item->arg, failed.class == ERR_NONE ? item->res : NULL,
                         failed.class == ERR_NONE ? NULL : &failed);
        fails_at(item->what, "settled", 0);
    }
    db->failure = (struct db_failure){0};
    while ((item = all) != NULL) {
        all = item->next;
        item_free(item);
    }
}

const struct db_failure *
db_failure(const struct db *db)
{
    return db->failure.res != NULL ? &db->failure : NULL;
}

/* The first item of the queue that has no result yet. */
static struct item *
next_unanswered(struct db *db)
{
    struct item *item = db->first;

    while (item != NULL && item->res != NULL)
        item = item->next;
    return item;
}

/* A write in a transaction that we made a read; else the primary has moved. */
static bool
is_refused_write(const struct db *db, const PGresult *res)
{
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    return db->options.reads_too && sqlstate != NULL && strcmp(sqlstate, "25006") == 0;
}

static void
note_failure(struct db *db, const struct item *item, const PGresult *res)
{
    if (item->kind == ITEM_PREPARE)
        forget_prepared(db, item->what);
    if (PQresultStatus(res) == PGRES_PIPELINE_ABORTED)
        return; /* an earlier statement says why */
    if (db->failed.class == ERR_NONE) {
        db_error_of_result(&db->failed, res);
        db->failure = (struct db_failure){item->what, res};
    }
    if (db_error_ends_session(res) && !is_refused_write(db, res))
        db->ends_session = true;
}

/* One result of libpq, which is ours now. */
static void
take_result(struct db *db, PGresult *res)
{
    struct item *item = next_unanswered(db);
    ExecStatusType status = PQresultStatus(res);

    if (item == NULL) { /* the server speaks out of turn: a FATAL before it closes */
        if (status == PGRES_FATAL_ERROR) {
            db_error_of_result(&db->failed, res);
            db->ends_session = true;
        }
        PQclear(res);
        return;
    }
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC)
        note_failure(db, item, res);
    item->res = res;
    if (item->kind != ITEM_COMMIT)
        return;
    if (fault_of_each(db->first, "answered"))
        db->ends_session = true;
    else
        answer_transaction(db);
}

static void
tell_news(struct db *db)
{
    PGnotify *note;

    while (db->conn != NULL && (note = PQnotifies(db->conn)) != NULL) {
        if (db->events->news != NULL)
            db->events->news(db->owner, note->extra);
        PQfreemem(note);
    }
}

bool
pipeline_read(struct db *db, struct err *err)
{
    bool alive = PQconsumeInput(db->conn) == 1;
    PGresult *res;
    int nothing = 0;

    /* What arrived before the end of the connection still counts; two NULLs in a row end it. */
    while (db->first != NULL && !db->ends_session && !PQisBusy(db->conn) && nothing < 2) {
        res = PQgetResult(db->conn);
        nothing = res == NULL ? nothing + 1 : 0;
        if (res != NULL)
            take_result(db, res);
    }
    tell_news(db);
    if (!alive || db->ends_session || PQstatus(db->conn) != CONNECTION_OK) {
        if (db->failed.class != ERR_NONE)
            *err = db->failed;
        else
            db_error_of_connection(err, db->conn, db->first != NULL);
        return false;
    }
    ev_timer_stop(db->loop, &db->timer);
    pipeline_flush(db);
    return true;
}

void
pipeline_fail(struct db *db, const struct err *why)
{
    struct err lost = *why;
    struct item *item, *all = db->first;

    /* Answers may ask again only in a later session: the queue is empty before the first. */
    db->first = NULL;
    db->last = &db->first;
    db->commits = 0;
    lost.class = ERR_UNCERTAIN;
    db->failure = (struct db_failure){0};
    while ((item = all) != NULL) {
        all = item->next;
        if (item->kind == ITEM_ASK && item->answer != NULL)
            item->answer(item->arg, NULL, &lost);
        item_free(item);
    }
}

void
pipeline_forget(struct db *db)
{
    while (db->first != NULL)
        item_free(pop(db));
    db->failure = (struct db_failure){0};
    db->commits = 0;
    db->n_prepared = 0;
    db->ends_session = false;
    err_clear(&db->failed);
}
