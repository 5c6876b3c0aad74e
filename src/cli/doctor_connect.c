/*
 * Checks up to a database session: configuration, keys, connection.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/doctor.h"
#include "cli/doctor_key.h"
#include "cli/values.h"
#include "sqltext.h"

#define GET_URL "Supabase dashboard > Connect > Session pooler has the URL with role and password"

void
doctor_check_configuration(struct doctor *d)
{
    struct err err;

    if (!cli_try_conf(d->cli, &err)) {
        doctor_say(d, DOCTOR_ERROR, "correct it; pgcrewd --check reads it too", "%s", err.text);
        return;
    }
    if (d->cli->conf->doubt != NULL)
        doctor_say(d, DOCTOR_WARN, "chown root:pgcrew, chmod 640", "%s", d->cli->conf->doubt);
    if (d->cli->conf->path != NULL)
        doctor_say(d, DOCTOR_OK, NULL, "%s is readable, this host is '%s'", d->cli->conf->path,
                   d->cli->conf->name);
    else
        doctor_say(d, DOCTOR_OK, NULL, "no file, so defaults and environment; this host is '%s'",
                   d->cli->conf->name);
}

/* --- keys --------------------------------------------------------------------------- */

static void
check_token(struct doctor *d, const char *variable, const struct key *key)
{
    const char *url = getenv("SUPABASE_URL");
    char project[64] = "";

    if (url != NULL)
        key_project_of_url(url, project);
    if (key->expires_s != 0 && key->expires_s < (int64_t)time(NULL))
        doctor_say(d, DOCTOR_ERROR, "take the current one from the dashboard > API keys",
                   "the key in %s has expired", variable);
    else if (key->project[0] != '\0' && project[0] != '\0' && strcmp(key->project, project) != 0)
        doctor_say(d, DOCTOR_ERROR, "take both from the same project",
                   "the key in %s belongs to project '%s', SUPABASE_URL to '%s'", variable,
                   key->project, project);
    else
        doctor_say(d, DOCTOR_OK, NULL, "%s holds a service key, for handlers that use the API",
                   variable);
}

/* An empty variable counts as not set. */
static bool
is_set(const char *variable)
{
    const char *value = getenv(variable);

    return value != NULL && value[0] != '\0';
}

static void
check_variable(struct doctor *d, const char *variable)
{
    struct key key;

    key_read(getenv(variable), &key);
    switch (key.kind) {
    case KEY_SERVICE:
        check_token(d, variable, &key);
        break;
    case KEY_PUBLIC:
        doctor_say(d, DOCTOR_ERROR, "it should be the service_role or secret key, or not be set",
                   "%s holds the anon or publishable key, which browsers have", variable);
        break;
    case KEY_USER:
        doctor_say(d, DOCTOR_ERROR, "it should be the service_role or secret key, or not be set",
                   "%s holds a token of role '%s', not a service key", variable, key.role);
        break;
    case KEY_BROKEN:
        doctor_say(d, DOCTOR_ERROR, "copy it again, whole and without line breaks",
                   "%s starts like a key and is none", variable);
        break;
    case KEY_OTHER:
        doctor_say(d, DOCTOR_WARN, "it should be the service_role or secret key, or not be set",
                   "%s does not look like a key of Supabase", variable);
        break;
    }
}

void
doctor_check_key(struct doctor *d)
{
    static const char *const variables[] = {"SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"};
    bool has_key = false;

    for (size_t i = 0; i < LENGTH(variables); i++) {
        if (!is_set(variables[i]))
            continue;
        check_variable(d, variables[i]);
        has_key = true;
    }
    /* The commonest misunderstanding: the key alone is no way into PostgreSQL. */
    if (has_key && d->cli->conf->db_url == NULL && !is_set("PGHOST"))
        doctor_say(d, DOCTOR_ERROR, "set SUPABASE_DB_URL: " GET_URL,
                   "there is an API key but no database URL; PostgreSQL wants a role and password");
}

/* --- connecting ----------------------------------------------------------------------- */

/* What libpq and the server say, and what to do about it; the first part found counts. */
static const struct {
    const char *part;
    const char *fix;
} refusals[] = {
    /* clang-format off */
    {"is an API key",                "put the database URL there: " GET_URL},
    {"password authentication failed", "the password is wrong (after a change a pooler needs some seconds)"},
    {"no password supplied",         "put the password into the URL, or into ~/.pgpass"},
    {"session is read-only",         "this is a read replica: take the URL of the primary"},
    {"could not translate host name", "the host name is wrong, or there is no DNS"},
    {"Connection refused",           "nothing listens there: is PostgreSQL running, are host and port right?"},
    {"No such file or directory",    "no PostgreSQL has its socket there: is it running, is a host missing in the URL?"},
    {"timeout expired",              "host or port do not answer: a firewall, or IPv6 without a route (take the pooler's host)"},
    {"Network is unreachable",       "IPv6 without a route? take the pooler's host"},
    {"no pg_hba.conf entry",         "the server does not let this role in from here: a line in pg_hba.conf, or encryption is missing"},
    {"Peer authentication failed",   "the system user has another name than the role: add -h localhost, or a line in pg_ident.conf"},
    {"max clients",                  "the pooler's limit is reached: fewer workers, or a larger pool"},
    {"EMAXCONN",                     "the pooler's limit is reached: fewer workers, or a larger pool"},
    {"too many connections",         "raise max_connections, or start fewer workers"},
    {"remaining connection slots",   "raise max_connections, or start fewer workers"},
    {"Tenant or user not found",     "the pooler wants the role as role.project"},
    {"SSL",                          "see sslmode and sslrootcert in the URL"},
    {"certificate",                  "see sslmode and sslrootcert in the URL"},
    {"starting up",                  "wait until PostgreSQL is ready"},
    {"\" does not exist",            "the name of the database or of the role in the URL is wrong"},
    /* clang-format on */
};

const char *
doctor_advice_for(const char *text)
{
    for (size_t i = 0; i < LENGTH(refusals); i++) {
        if (strstr(text, refusals[i].part) != NULL)
            return refusals[i].fix;
    }
    return "check the URL: database.url in the configuration, DATABASE_URL or --database";
}

void
doctor_check_database(struct doctor *d)
{
    struct err err;
    json_t *rows;

    if (!cli_try_database(d->cli, &err) ||
        !cli_try_query(d->cli, sql_cli_doctor_facts, NULL, &rows, &err)) {
        doctor_say(d, DOCTOR_ERROR, doctor_advice_for(err.text), "%s", err.text);
        return;
    }
    d->facts = json_deep_copy(json_array_get(rows, 0));
    json_decref(rows);
    d->has_database = true;
    if (json_is_true(json_object_get(d->facts, "is_replica")))
        doctor_say(d, DOCTOR_ERROR, "take the URL of the primary",
                   "'%s' is a read replica: nothing can be claimed there",
                   value_text(d->facts, "database"));
    else
        doctor_say(d, DOCTOR_OK, NULL, "PostgreSQL %s answers: %s, as %s",
                   value_text(d->facts, "server"), session_shown(d->cli->session),
                   value_text(d->facts, "user"));
}

void
doctor_check_pooler(struct doctor *d)
{
    if (PQbackendPID(session_conn(d->cli->session)) == value_int(d->facts, "backend_pid"))
        doctor_say(d, DOCTOR_OK, NULL, "a direct connection: workers are woken by NOTIFY");
    else
        doctor_say(
            d, DOCTOR_WARN, "a direct connection, where there is one, starts jobs in milliseconds",
            "a connection pooler stands in between: workers poll only (queue.poll_interval)");
}

static bool
is_near(const char *host)
{
    return host == NULL || host[0] == '\0' || host[0] == '/' || host[0] == '@' ||
           strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "::1") == 0;
}

static bool
is_verified(PGconn *conn)
{
    PQconninfoOption *options = PQconninfo(conn);
    bool is_full = false;

    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        is_full |= strcmp(o->keyword, "sslmode") == 0 && o->val != NULL &&
                   strcmp(o->val, "verify-full") == 0;
    PQconninfoFree(options);
    return is_full;
}

void
doctor_check_tls(struct doctor *d)
{
    PGconn *conn = session_conn(d->cli->session);
    const char *host = PQhost(conn);

    if (PQsslInUse(conn) && !is_near(host) && !is_verified(conn))
        doctor_say(d, DOCTOR_WARN, "sslmode=verify-full and sslrootcert=FILE in the URL check it",
                   "encrypted, but %s may be anybody: its certificate is not checked", host);
    else if (PQsslInUse(conn))
        doctor_say(d, DOCTOR_OK, NULL, "encrypted with %s", PQsslAttribute(conn, "protocol"));
    else if (is_near(host))
        doctor_say(d, DOCTOR_OK, NULL, "not encrypted, and not needed: the server is on this host");
    else
        doctor_say(d, DOCTOR_WARN, "add sslmode=verify-full and sslrootcert=FILE to the URL",
                   "the connection to %s is not encrypted", host);
}
