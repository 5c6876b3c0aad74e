#include "db/session.h"

#include <stdlib.h>
#include <string.h>

#include "db/error.h"
#include "db/target.h"

struct session {
    struct target target;
    PGconn *conn;
    char *role;
    bool in_transaction;
    void (*notice)(const char *text);
};

void
auto_result(PGresult **res)
{
    PQclear(*res);
}

void
auto_session(struct session **s)
{
    session_close(*s);
}

/* "... already exists, skipping": what a file that may run again says each time. */
static bool
is_noise(const PGresult *res)
{
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    return sqlstate != NULL && (strcmp(sqlstate, "42P06") == 0 || strcmp(sqlstate, "42P07") == 0);
}

static void
on_notice(void *arg, const PGresult *res)
{
    const struct session *s = arg;
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

    if (s->notice != NULL && text != NULL && !is_noise(res))
        s->notice(text);
}

bool
session_open(const struct session_options *options, struct session **ret, struct err *err)
{
    AUTO(session) struct session *s = xcalloc(1, sizeof(*s));

    if (!target_init(&s->target, options->url, options->application_name,
                     options->connect_timeout_ms, err))
        return false;
    s->role = options->role != NULL ? xstrdup(options->role) : NULL;
    s->notice = options->notice;
    s->conn = PQconnectdbParams(s->target.keys, s->target.values, 1);
    if (PQstatus(s->conn) != CONNECTION_OK)
        return db_error_of_connection(err, s->conn, false);
    PQsetNoticeReceiver(s->conn, on_notice, s);
    *ret = TAKE(s);
    return true;
}

void
session_close(struct session *s)
{
    if (s == NULL)
        return;
    PQfinish(s->conn);
    target_release(&s->target);
    free(s->role);
    free(s);
}

const char *
session_shown(const struct session *s)
{
    return s->target.shown;
}

PGconn *
session_conn(const struct session *s)
{
    return s->conn;
}

bool
session_is_lost(const struct session *s)
{
    return PQstatus(s->conn) != CONNECTION_OK;
}

static bool
is_good(const PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

bool
session_take(struct session *s, PGresult *res, PGresult **ret, struct err *err)
{
    if (!is_good(res)) {
        if (session_is_lost(s))
            db_error_of_connection(err, s->conn, true);
        else
            db_error_of_result(err, res);
        PQclear(res);
        return false;
    }
    if (ret != NULL)
        *ret = res;
    else
        PQclear(res);
    return true;
}

static bool
execute(struct session *s, const char *sql, const struct params *p, PGresult **ret, struct err *err)
{
    static const struct params none = {.n = 0};

    if (p == NULL)
        p = &none;
    return session_take(
        s, PQexecParams(s->conn, sql, p->n, NULL, p->values, p->lengths, p->formats, 1), ret, err);
}

bool
session_begin(struct session *s, struct err *err)
{
    AUTO(params) struct params p;

    params_init(&p);
    if (!execute(s, "begin", NULL, NULL, err))
        return false;
    s->in_transaction = true;
    if (s->role == NULL)
        return true;
    /* Only for this transaction: a pooler would hand the role on to others. */
    param_text(&p, s->role);
    if (execute(s, "select set_config('role', $1::text, true)", &p, NULL, err))
        return true;
    session_rollback(s);
    return err_before(err, "cannot become role '%s'", s->role);
}

bool
session_commit(struct session *s, struct err *err)
{
    AUTO(result) PGresult *res = NULL;

    s->in_transaction = false;
    if (!execute(s, "commit", NULL, &res, err))
        return false;
    /* A transaction in which something failed answers COMMIT with ROLLBACK. */
    if (strcmp(PQcmdStatus(res), "COMMIT") != 0)
        return err_set(err, ERR_PERMANENT, "the transaction was rolled back");
    return true;
}

void
session_rollback(struct session *s)
{
    s->in_transaction = false;
    if (!session_is_lost(s))
        PQclear(PQexec(s->conn, "rollback"));
}

bool
session_run(struct session *s, const char *sql, const struct params *params, PGresult **ret,
            struct err *err)
{
    AUTO(result) PGresult *res = NULL;

    if (s->in_transaction || s->role == NULL)
        return execute(s, sql, params, ret, err);
    if (!session_begin(s, err))
        return false;
    if (!execute(s, sql, params, &res, err)) {
        session_rollback(s);
        return false;
    }
    if (!session_commit(s, err))
        return false;
    if (ret != NULL)
        *ret = TAKE(res);
    return true;
}

bool
session_script(struct session *s, const char *sql, struct err *err)
{
    return session_take(s, PQexec(s->conn, sql), NULL, err);
}
