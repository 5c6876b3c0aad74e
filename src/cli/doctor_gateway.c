/*
 * Those who serve HTTP: can they do what they are for, and no more?
 */
#include <string.h>

#include "base/secret.h"
#include "cli/doctor.h"
#include "cli/values.h"
#include "jwt/jwt.h"
#include "sqltext.h"

#define GUIDE "see The login in pgcrew-gateway(7)"

static void
auto_jwt_keys(struct jwt_keys **keys)
{
    jwt_keys_free(*keys);
}

/* One that was not to be read stands there as the reference it is. */
static bool
is_hidden(const char *secret)
{
    return secret != NULL && secret_is_reference(secret);
}

static void
say_hidden(struct doctor *d, const char *option)
{
    doctor_say(d, DOCTOR_WARN, "run pgcrew doctor as root, or as the daemon's user",
               "%s cannot be read from here", option);
}

static void
check_keys(struct doctor *d)
{
    const struct conf *conf = d->cli->conf;
    const struct jwt_key_source from = {conf->jwt_secret, conf->jwks_file};
    AUTO(jwt_keys) struct jwt_keys *keys = NULL;
    struct err err;

    if (is_hidden(conf->jwt_secret))
        say_hidden(d, "gateway.jwt_secret");
    else if (!jwt_keys_new(&from, &keys, &err))
        doctor_say(d, DOCTOR_ERROR,
                   "set gateway.jwt_secret (SUPABASE_JWT_SECRET) or gateway.jwks_file", "%s",
                   err.text);
    else
        doctor_say(d, DOCTOR_OK, NULL, "%zu keys to verify tokens with", jwt_keys_count(keys));
}

static void
check_rights(struct doctor *d, struct session *session)
{
    const struct conf_list *roles = &d->cli->conf->gateway_roles;
    AUTO(params) struct params p;
    AUTO(result) PGresult *res = NULL;
    struct err err;

    params_init(&p);
    param_texts(&p, roles->items, roles->n);
    if (!session_run(session, sql_gateway_rights, &p, &res, &err)) {
        doctor_say(d, DOCTOR_ERROR, GUIDE, "the gateway's login: %s", err.text);
        return;
    }
    for (int row = 0; row < PQntuples(res); row++)
        doctor_say(d, strcmp(PQgetvalue(res, row, 0), "warn") == 0 ? DOCTOR_WARN : DOCTOR_ERROR,
                   PQgetvalue(res, row, 2), "%s", PQgetvalue(res, row, 1));
    if (PQntuples(res) == 0)
        doctor_say(d, DOCTOR_OK, NULL, "its login %s may act for users, and nothing else",
                   PQuser(session_conn(session)));
}

static void
check_login(struct doctor *d)
{
    const struct conf *conf = d->cli->conf;
    const struct session_options options = {
        .url = conf->gateway_url,
        .application_name = "pgcrew doctor",
        .connect_timeout_ms = conf->connect_timeout_ms,
    };
    AUTO(session) struct session *session = NULL;
    struct err err;

    if (conf->gateway_url == NULL)
        doctor_say(d, DOCTOR_ERROR, GUIDE,
                   "gateway.listen is set, but there is no gateway.database_url to be read");
    else if (is_hidden(conf->gateway_url))
        say_hidden(d, "gateway.database_url");
    else if (!session_open(&options, &session, &err))
        doctor_say(d, DOCTOR_ERROR, doctor_advice_for(err.text), "the gateway's login: %s",
                   err.text);
    else
        check_rights(d, session);
}

static void
say_front(struct doctor *d, const char *name, const json_t *front)
{
    if (!json_is_object(front))
        doctor_say(d, DOCTOR_ERROR, "pgcrew reload",
                   "the daemon has no %s: its configuration is older", name);
    else if (value_text(front, "text")[0] != '\0')
        doctor_say(d, DOCTOR_ERROR, "see the log of the daemon; after a change: pgcrew reload",
                   "%s: %s", value_text(front, "state"), value_text(front, "text"));
    else
        doctor_say(d, DOCTOR_OK, NULL, "the daemon's %s: %s", name, value_text(front, "state"));
}

/* What the daemon says of it; that there is none another check says. */
static void
check_process(struct doctor *d, const char *name)
{
    json_t *stats = NULL;
    struct err err;

    if (!cli_try_daemon(d->cli, "stats", &stats, &err))
        return;
    say_front(d, name, json_object_get(stats, name));
    json_decref(stats);
}

void
doctor_check_gateway(struct doctor *d)
{
    if (d->cli->conf->gateway.listen.n == 0)
        return;
    check_keys(d);
    check_login(d);
    check_process(d, "gateway");
}

void
doctor_check_dashboard(struct doctor *d)
{
    const struct conf *conf = d->cli->conf;

    if (conf->dashboard.listen.n == 0)
        return;
    if (conf->dashboard_token_file == NULL &&
        (conf->dashboard_service_key_login == CONF_NO || conf->service_key == NULL))
        doctor_say(d, DOCTOR_WARN, "set dashboard.token_file, see DASHBOARD in pgcrew.yaml(5)",
                   "nobody can log in: there is neither a token nor a service key to do it with");
    check_process(d, "dashboard");
}
