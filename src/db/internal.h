/*
 * Shared by db.c (the life of a session) and pipeline.c (statements and answers).
 */
#ifndef PGCREW_DB_INTERNAL_H
#define PGCREW_DB_INTERNAL_H

#include "base/backoff.h"
#include "db/db.h"
#include "db/target.h"

#define PREPARED_MAX 64

enum db_state {
    DB_OFF,        /* not started */
    DB_WAITING,    /* until the next try */
    DB_CONNECTING, /* PQconnectPoll */
    DB_GREETING,   /* hello, settings, listen */
    DB_UP,
};

/* Something sent whose answer is awaited; the queue is in the order of sending. */
enum item_kind { ITEM_PREPARE, ITEM_ASK, ITEM_COMMIT };

struct item {
    struct item *next;
    enum item_kind kind;
    const struct statement *what;
    db_answer *answer;
    void *arg;
    PGresult *res; /* kept until the commit has been answered */
};

struct db {
    struct ev_loop *loop;
    struct db_options options;
    const struct db_events *events;
    void *owner;
    struct target target;

    enum db_state state;
    PGconn *conn;
    struct db_session session;
    char user[64];
    ev_io io;
    bool was_silent; /* a host of this try did not take the connection in time */
    ev_timer timer;  /* next try, connect timeout or silence timeout, by state */
    struct backoff backoff;
    int64_t up_mono_ms;

    struct item *first, **last;
    size_t commits;            /* ITEM_COMMIT in the queue */
    struct err failed;         /* the first error of the transaction being answered */
    struct db_failure failure; /* that error, while its result is kept */
    bool ends_session;         /* that error ends the session */
    const struct statement *prepared[PREPARED_MAX];
    size_t n_prepared;
    uint64_t round_trips;
};

/* Read what has come and answer it; false: the session is over, err says why. */
bool pipeline_read(struct db *db, struct err *err) MUST_CHECK;
/* Watch for reading, and for writing while something could not be sent. */
void pipeline_flush(struct db *db);
/* Answer everything with an error and forget it. */
void pipeline_fail(struct db *db, const struct err *why);
/* Forget everything without a word. */
void pipeline_forget(struct db *db);

/* db.c: the session is over. */
void db_lost(struct db *db, const struct err *why);

#endif
