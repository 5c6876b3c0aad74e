/*
 * A database session on the loop: connects, checks, keeps itself connected,
 * and sends statements in pipelines.  Nothing here blocks but the look-up of a
 * host name inside libpq.
 *
 * Statements are asked one after the other and closed by db_commit(): those
 * between two commits are one transaction and one round trip.  Their answers
 * arrive together once the server has said that the transaction is committed;
 * when one fails, all of them get an error.
 */
#ifndef PGCREW_DB_DB_H
#define PGCREW_DB_DB_H

#include <libpq-fe.h>

#include "base/err.h"
#include "base/loop.h"
#include "db/value.h"

struct db;

/* One statement of a .sql file.  Prepared once a session where the connection allows it. */
struct statement {
    const char *name; /* unique in this program; NULL: not prepared, and it outlives the answer */
    const char *sql;
};

struct db_options {
    const char *url;  /* NULL: libpq's PG* variables */
    const char *role; /* SET ROLE to this; NULL: none */
    const char *application_name;
    int64_t connect_timeout_ms;
    int64_t statement_timeout_ms; /* also how long the server may stay silent, plus ten seconds */
    bool listen;                  /* LISTEN pgcrew, where that works */
    bool reads_too;               /* some transactions only read: 25006 does not end the session */
    const char *schema;           /* the queue is in there, see rename.h; NULL: where it belongs */
};

/* What is known of a session; valid while it is up. */
struct db_session {
    int backend_pid;
    bool poll_only;     /* behind a transaction pooler: no LISTEN, no prepared statements */
    int server_version; /* 150018 */
    int schema_version; /* of pgcrew's schema; 0: no jobs table, -1: not ours */
    int schema_oldest;  /* programs written for this version or a newer one work with it */
    const char *user;
};

struct db_events {
    void (*up)(void *owner, const struct db_session *session);
    /*
     * Lost, or could not be made; it is being tried again, in wait_ms.  Everything
     * asked before has been answered with an error.
     */
    void (*down)(void *owner, const struct err *why, int64_t wait_ms);
    void (*news)(void *owner, const char *payload); /* a NOTIFY pgcrew; NULL: never called */
};

/*
 * The options' texts must outlive the db.  ERR_CONFIG when the URL is not one.
 * The caller owns *ret_db.
 */
bool db_new(struct ev_loop *loop, const struct db_options *options, const struct db_events *events,
            void *owner, struct db **ret_db, struct err *err) MUST_CHECK;
void db_start(struct db *db);
/* Ends the session; what has not been answered never will be.  NULL is fine. */
void db_free(struct db *db);

bool db_is_up(const struct db *db);
uint64_t db_round_trips(const struct db *db);
/*
 * What the comment on public.jobs says: "pgcrew job queue; schema version 7; programs
 * since 5".  Without its last part the schema is for programs of its own version only.
 * False when it is not ours.
 */
bool db_read_schema(const char *comment, int *ret_version, int *ret_oldest);
/* Where it connects to, for logs; never holds a password. */
const char *db_shown(const struct db *db);

/* res is NULL when err is not; both end with the call. */
typedef void db_answer(void *arg, const PGresult *res, const struct err *err);

/*
 * While answers of a transaction that the server refused are given: the statement that
 * failed (NULL: the commit) and all that was said of it.  NULL: the session was lost.
 */
struct db_failure {
    const struct statement *what;
    const PGresult *res;
};
const struct db_failure *db_failure(const struct db *db);

/*
 * Ask, only while the session is up.  Takes what is in params and releases it;
 * params may be NULL.  answer is called exactly once, never from inside the call.
 */
void db_ask(struct db *db, const struct statement *what, struct params *params, db_answer *answer,
            void *arg);
void db_commit(struct db *db);

/* Give the session up and make a new one after a pause (a schema that has changed, a lost lease). */
void db_restart(struct db *db, enum err_class class, const char *why);

#endif
