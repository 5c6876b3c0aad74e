/*
 * A blocking database session, for the tool only: the daemon's processes talk
 * through db.h, which never blocks.
 */
#ifndef PGCREW_DB_SESSION_H
#define PGCREW_DB_SESSION_H

#include <libpq-fe.h>

#include "base/err.h"
#include "db/value.h"

struct session;

struct session_options {
    const char *url;  /* NULL: libpq's PG* variables */
    const char *role; /* every statement runs as this role; NULL: as the login */
    const char *application_name;
    int64_t connect_timeout_ms;
    /* A NOTICE or WARNING of the server, without a line feed; NULL: they are dropped. */
    void (*notice)(const char *text);
};

/*
 * Connect.  ERR_CONFIG when the URL is not one, else what db_error_of_connection()
 * makes of it.  Works behind poolers: no state is left in the session.
 */
bool session_open(const struct session_options *options, struct session **ret,
                  struct err *err) MUST_CHECK;
void session_close(struct session *s); /* NULL is fine */

/* "database app on db.example.com:5432", never a password. */
const char *session_shown(const struct session *s);
PGconn *session_conn(const struct session *s);
/* After an error: is the connection gone?  Then nothing but session_close() is left. */
bool session_is_lost(const struct session *s);

/*
 * Run one statement; params may be NULL.  Outside a transaction it is one of
 * its own.  The caller clears *ret; ret may be NULL.
 */
bool session_run(struct session *s, const char *sql, const struct params *params, PGresult **ret,
                 struct err *err) MUST_CHECK;
/*
 * Judge a result that came from session_conn(): takes res, which goes to *ret (NULL: it is
 * dropped), or says what is wrong with it.
 */
bool session_take(struct session *s, PGresult *res, PGresult **ret, struct err *err) MUST_CHECK;
/* Several statements without parameters, as in a migration, at the login's own role. */
bool session_script(struct session *s, const char *sql, struct err *err) MUST_CHECK;

bool session_begin(struct session *s, struct err *err) MUST_CHECK;
/* ERR_UNCERTAIN when the connection was lost before the answer. */
bool session_commit(struct session *s, struct err *err) MUST_CHECK;
void session_rollback(struct session *s);

void auto_result(PGresult **res);
void auto_session(struct session **s);

#endif
