#include "db/target.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"

static char *
add(struct target *t, const char *key, const char *value)
{
    size_t n = 0;
    char *copy = arena_strdup(&t->arena, value);

    while (t->keys[n] != NULL)
        n++;
    if (n == TARGET_KEYS)
        abort();
    t->keys[n] = key;
    t->values[n] = copy;
    return copy;
}

/* What libpq will use for a keyword: the URL's word, else its variable, else its default. */
static const char *
setting(const PQconninfoOption *options, const char *keyword, const char *variable)
{
    const char *value = NULL;

    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (strcmp(o->keyword, keyword) == 0)
            value = o->val;
    }
    if (value == NULL || value[0] == '\0')
        value = getenv(variable);
    return value != NULL ? value : "";
}

/* Of a list, as for a failover, all must be. */
static bool
are_local(const char *hosts)
{
    static const char *const names[] = {"", "localhost", "127.0.0.1", "::1"};
    bool is_local = false;

    for (;; hosts++) {
        size_t len = strcspn(hosts, ",");

        is_local = hosts[0] == '/' || hosts[0] == '@';
        for (size_t i = 0; i < LENGTH(names) && !is_local; i++)
            is_local = strlen(names[i]) == len && strncmp(names[i], hosts, len) == 0;
        hosts += len;
        if (!is_local || *hosts == '\0')
            return is_local;
    }
}

bool
target_is_api_key(const char *text)
{
    /* A JSON web token is base64 of '{"', Supabase's newer keys have a prefix. */
    return strncmp(text, "eyJ", 3) == 0 || strncmp(text, "sb_secret_", 10) == 0 ||
           strncmp(text, "sb_publishable_", 15) == 0;
}

/* Where systems keep the authorities they trust. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
    "/etc/ssl/cert.pem",                  /* Alpine */
};

static bool
has_own_root(void)
{
    const char *home = getenv("HOME");
    AUTO(mem) char *path = xasprintf("%s/.postgresql/root.crt", home != NULL ? home : "");

    return home != NULL && access(path, R_OK) == 0;
}

/*
 * Who does not say how sure to be of a server elsewhere is as sure as can be: it must have
 * a certificate of an authority that is trusted, for the name it is called by.
 */
static void
add_verification(struct target *t, const PQconninfoOption *url)
{
    if (setting(url, "sslmode", "PGSSLMODE")[0] != '\0')
        return;
    add(t, "sslmode", "verify-full");
    if (setting(url, "sslrootcert", "PGSSLROOTCERT")[0] != '\0' || has_own_root())
        return;
    for (size_t i = 0; i < LENGTH(bundles); i++) {
        if (access(bundles[i], R_OK) == 0) {
            add(t, "sslrootcert", bundles[i]);
            return;
        }
    }
}

static void
add_defaults(struct target *t, const char *application_name, int64_t connect_timeout_ms)
{
    int64_t seconds = (connect_timeout_ms + 999) / 1000;

    add(t, "fallback_application_name", application_name);
    add(t, "connect_timeout", arena_printf(&t->arena, "%lld", (long long)seconds));
    add(t, "client_encoding", "UTF8");
    /* Both are needed: a cut network shows neither with one of them alone while we wait. */
    add(t, "keepalives_idle", "5");
    add(t, "keepalives_interval", "2");
    add(t, "keepalives_count", "3");
    add(t, "tcp_user_timeout", "10000");
    if (getenv("PGTARGETSESSIONATTRS") == NULL)
        add(t, "target_session_attrs", "read-write");
}

/* After the URL, so that ours count once they have been turned. */
static void
add_lists(struct target *t, const PQconninfoOption *options)
{
    static const struct {
        const char *keyword, *variable;
    } names[LENGTH(t->lists)] = {
        {"host", "PGHOST"}, {"hostaddr", "PGHOSTADDR"}, {"port", "PGPORT"}};
    size_t n = 0;

    for (size_t i = 0; i < LENGTH(names); i++) {
        const char *value = setting(options, names[i].keyword, names[i].variable);

        if (strchr(value, ',') != NULL)
            t->lists[n++] = add(t, names[i].keyword, value);
    }
}

/* "a,b,c" -> "b,c,a" */
static void
turn(char *list)
{
    char *comma = strchr(list, ',');
    size_t first = (size_t)(comma - list), rest = strlen(comma + 1);
    char *copy = xstrdup(list);

    memcpy(list, copy + first + 1, rest);
    list[rest] = ',';
    memcpy(list + rest + 1, copy, first);
    free(copy);
}

void
target_turn(struct target *t)
{
    for (size_t i = 0; i < LENGTH(t->lists) && t->lists[i] != NULL; i++)
        turn(t->lists[i]);
}

bool
target_init(struct target *t, const char *url, const char *application_name,
            int64_t connect_timeout_ms, struct err *err)
{
    PQconninfoOption *options = NULL;
    char *why = NULL;
    const char *host, *port, *name;

    *t = (struct target){.shown = ""};
    arena_init(&t->arena);
    if (url != NULL && target_is_api_key(url))
        return err_set(err, ERR_CONFIG,
                       "the database URL is an API key; PostgreSQL wants a role and a password "
                       "(Supabase dashboard > Connect > Session pooler)");
    if (url != NULL && secret_is_reference(url))
        return err_set(err, ERR_CONFIG,
                       "the database URL is a reference that cannot be read here: give "
                       "it by --database or DATABASE_URL");
    if (url != NULL && (options = PQconninfoParse(url, &why)) == NULL) {
        /* libpq repeats the URL in some messages, and a URL may hold a password. */
        PQfreemem(why);
        return err_set(err, ERR_CONFIG,
                       "the database URL is not one: write postgresql://user@host:port/database "
                       "or key=value pairs");
    }
    host = setting(options, "host", "PGHOST");
    port = setting(options, "port", "PGPORT");
    name = setting(options, "dbname", "PGDATABASE");
    t->shown =
        arena_printf(&t->arena, "database %s on %s%s%s", name[0] != '\0' ? name : "(default)",
                     host[0] != '\0' ? host : "the local socket", port[0] != '\0' ? ":" : "", port);
    add_defaults(t, application_name, connect_timeout_ms);
    if (!are_local(host) || !are_local(setting(options, "hostaddr", "PGHOSTADDR")))
        add_verification(t, options);
    if (url != NULL)
        add(t, "dbname", url);
    add_lists(t, options);
    PQconninfoFree(options);
    return true;
}

void
target_release(struct target *t)
{
    if (t != NULL)
        arena_release(&t->arena);
}
