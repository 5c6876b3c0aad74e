/*
 * A session of the bench: every text passes through rename_queue(), so that none can reach
 * the real queue.
 */
#include <stdlib.h>

#include "bench/internal.h"
#include "db/rename.h"

/* What the login is set to may be meant for short questions. */
#define SETTINGS                                                                                   \
    "set client_min_messages = warning; set statement_timeout = 0; set lock_timeout = 0; "         \
    "set idle_session_timeout = 0; set idle_in_transaction_session_timeout = 0; "                  \
    "set default_transaction_isolation = 'read committed'"

bool
bench_open(const struct conf *conf, struct session **ret, struct err *err)
{
    struct session_options options = {
        .url = conf->db_url,
        .application_name = BENCH_APPLICATION,
        .connect_timeout_ms = conf->connect_timeout_ms,
    };
    AUTO(session) struct session *db = NULL;

    if (!session_open(&options, &db, err))
        return err_before(err, "cannot reach the database");
    if (!session_script(db, SETTINGS, err))
        return false;
    *ret = TAKE(db);
    return true;
}

char *
bench_text(const char *sql)
{
    struct buf text = {0};

    rename_queue(sql, BENCH_SCHEMA, &text);
    return text.data;
}

bool
bench_script(struct session *db, const char *sql, struct err *err)
{
    AUTO(mem) char *text = bench_text(sql);

    return session_script(db, text, err);
}

bool
bench_prepare(struct session *db, const char *name, const char *sql, struct err *err)
{
    AUTO(mem) char *text = bench_text(sql);

    return session_take(db, PQprepare(session_conn(db), name, text, 0, NULL), NULL, err);
}

bool
bench_call(struct session *db, const char *name, const char *arg, PGresult **ret, struct err *err)
{
    return session_take(
        db, PQexecPrepared(session_conn(db), name, arg != NULL, &arg, NULL, NULL, 0), ret, err);
}

bool
bench_number(struct session *db, const char *sql, double *ret, struct err *err)
{
    AUTO(mem) char *text = bench_text(sql);
    AUTO(result) PGresult *res = NULL;

    if (!session_take(db, PQexec(session_conn(db), text), &res, err))
        return false;
    if (PQntuples(res) != 1)
        return err_set(err, ERR_PERMANENT, "not one row came back from: %.200s", text);
    *ret = atof(PQgetvalue(res, 0, 0));
    return true;
}
