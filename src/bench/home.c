/*
 * The schema of the bench: is it possible here, make it, remove it.
 *
 * Its comment says that it is ours; the lock says that nobody else works in it.
 */
#include <stdio.h>
#include <string.h>

#include "bench/internal.h"
#include "cli/out.h"
#include "cli/values.h"
#include "sqltext.h"

/* Beside one for each worker or client: keeper, runner, janitor, listener, one that inserts. */
#define OTHER_SESSIONS 5

#define CREATE                                                                                     \
    "create schema " BENCH_SCHEMA "; comment on schema " BENCH_SCHEMA " is '" BENCH_COMMENT "'"
/* Signals wait meanwhile: who reads these tables in a long transaction must not hold us up. */
#define DROP                                                                                       \
    "set lock_timeout = '30s'; drop schema if exists " BENCH_SCHEMA " cascade; set lock_timeout = 0"

#define TRIES_TO_REMOVE 5

/* What the limits are measured on: the least that a queue in PostgreSQL could be. */
static const char bare_tables[] =
    "create table pgcrew.bench_bare (id bigint generated always as identity primary key,"
    "  payload jsonb not null);"
    "create table pgcrew.bench_marked (id bigint generated always as identity primary key,"
    "  state smallint not null default 0, payload jsonb not null);"
    "create index on pgcrew.bench_marked (id) where state = 0;"
    "create table pgcrew.bench_job (id bigint generated always as identity primary key,"
    "  kind text not null, payload jsonb not null);"
    "create table pgcrew.bench_waits (job_id bigint primary key)";

/* --- looking ---------------------------------------------------------------------------- */

static bool
says_yes(const json_t *facts, const char *name)
{
    return json_is_true(json_object_get(facts, name));
}

static bool
check_server(const struct session *db, const json_t *facts, const struct plan *plan,
             struct err *err)
{
    int64_t free = value_int(facts, "free_connections"), need = plan->workers + OTHER_SESSIONS - 1;

    if (says_yes(facts, "is_replica"))
        return err_set(err, ERR_CONFIG, "this server is a read replica; the primary is needed");
    if (value_int(facts, "backend_pid") != PQbackendPID(session_conn(db)))
        return err_set(err, ERR_CONFIG,
                       "this is a transaction pooler: bench needs sessions of its own, so give the "
                       "URL of the server itself");
    if (free < need)
        return err_set(err, ERR_CONFIG,
                       "bench needs %d more connections, the server has %d free: fewer --workers, "
                       "or a greater max_connections",
                       (int)need, (int)free);
    return true;
}

static bool
check_login(const json_t *facts, struct err *err)
{
    const char *login = value_text(facts, "login"), *database = value_text(facts, "database");
    const json_t *missing = json_object_get(facts, "missing_roles");

    if (!says_yes(facts, "may_create"))
        return err_set(err, ERR_CONFIG,
                       "role %s may not make a schema in database %s: use the login that runs "
                       "'pgcrew migrate', or grant it: grant create on database %s to %s",
                       login, database, database, login);
    if (json_array_size(missing) > 0)
        return err_set(err, ERR_CONFIG, "role %s is missing: run 'pgcrew migrate' first",
                       json_string_value(json_array_get(missing, 0)));
    if (!says_yes(facts, "has_auth"))
        return err_set(err, ERR_CONFIG, "auth.uid() is missing: run 'pgcrew migrate' first");
    if (!says_yes(facts, "may_use_auth"))
        return err_set(err, ERR_CONFIG,
                       "role %s may not use the schema auth: use the login that runs 'pgcrew "
                       "migrate', or grant it: grant usage on schema auth to %s",
                       login, login);
    return true;
}

static bool
check_schema(const json_t *facts, bool *ret_left_over, struct err *err)
{
    *ret_left_over = says_yes(facts, "has_schema");
    if (*ret_left_over && strcmp(value_text(facts, "schema_comment"), BENCH_COMMENT) != 0)
        return err_set(err, ERR_CONFIG,
                       "the schema " BENCH_SCHEMA " was not made by pgcrew bench: rename it first; "
                       "nothing has been changed");
    return true;
}

static bool
take_lock(struct session *db, struct err *err)
{
    AUTO(result) PGresult *res = NULL;

    if (!session_run(db, sql_bench_lock, NULL, &res, err))
        return false;
    if (!row_bool(res, 0, 0))
        return err_set(err, ERR_CONFIG, "another pgcrew bench runs in this database");
    return true;
}

static bool
find_facts(struct session *db, json_t **ret, struct err *err)
{
    AUTO(result) PGresult *res = NULL;
    AUTO(params) struct params p;

    params_init(&p);
    param_text(&p, BENCH_SCHEMA);
    if (!session_run(db, sql_bench_facts, &p, &res, err))
        return false;
    *ret = value_from_row(res, 0);
    return true;
}

bool
home_look(struct cli *cli, const struct plan *plan, struct home *ret)
{
    struct err err = {0};

    *ret = (struct home){.facts = NULL};
    if (!bench_open(cli->conf, &cli->session, &err)) {
        cli_fail(cli, err.class == ERR_CONFIG ? CLI_USAGE : CLI_AWAY, &err);
        return false;
    }
    ret->db = cli->session;
    /* The lock first: what is found after it nobody else removes. */
    if (!take_lock(ret->db, &err) || !find_facts(ret->db, &ret->facts, &err) ||
        !check_server(ret->db, ret->facts, plan, &err) || !check_login(ret->facts, &err) ||
        !check_schema(ret->facts, &ret->is_left_over, &err)) {
        cli_fail_database(cli, &err);
        return false;
    }
    return true;
}

/* --- making and removing ----------------------------------------------------------------- */

/* The migration for plain PostgreSQL makes what is not in a schema: that is there already. */
static bool
make_tables(struct session *db, struct err *err)
{
    for (size_t i = 0; i < n_migrations; i++) {
        if (migrations[i].version > 0 && !bench_script(db, migrations[i].text, err))
            return err_before(err, "%s", migrations[i].file);
    }
    return bench_script(db, bare_tables, err);
}

bool
home_make(struct home *home, struct err *err)
{
    if (home->is_left_over && !session_script(home->db, DROP, err))
        return err_before(err, "cannot remove what an earlier run has left");
    if (!session_begin(home->db, err))
        return false;
    if (!session_script(home->db, CREATE, err) || !make_tables(home->db, err)) {
        session_rollback(home->db);
        return err_before(err, "cannot make the schema " BENCH_SCHEMA);
    }
    return session_commit(home->db, err);
}

static bool
end_others_and_drop(struct session *db, struct err *err)
{
    AUTO(params) struct params p;

    params_init(&p);
    param_text(&p, BENCH_APPLICATION);
    return session_run(db, sql_bench_end_others, &p, NULL, err) && session_script(db, DROP, err);
}

/* What was asked just before the daemon was killed is still being done: it may be a deadlock. */
static bool
remove_now(struct session *db, struct err *err)
{
    for (int tries = 1; !end_others_and_drop(db, err); tries++) {
        if (err->class != ERR_RETRY || session_is_lost(db) || tries == TRIES_TO_REMOVE)
            return false;
        err_clear(err);
    }
    return true;
}

bool
home_remove(struct cli *cli, struct home *home, struct err *err)
{
    if (remove_now(home->db, err) || !session_is_lost(home->db))
        return err->class == ERR_NONE;
    /* The server may have been started anew meanwhile. */
    session_close(cli->session);
    cli->session = home->db = NULL;
    err_clear(err);
    if (!bench_open(cli->conf, &cli->session, err))
        return false;
    home->db = cli->session;
    return take_lock(home->db, err) && remove_now(home->db, err);
}
