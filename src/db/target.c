#include "db/target.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

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

static bool
is_local(const char *host)
{
    return host[0] == '\0' || host[0] == '/' || host[0] == '@' || strcmp(host, "localhost") == 0 ||
           strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0;
}

bool
target_is_api_key(const char *text)
{
    /* A JSON web token is base64 of '{"', Supabase's newer keys have a prefix. */
    return strncmp(text, "eyJ", 3) == 0 || strncmp(text, "sb_secret_", 10) == 0 ||
           strncmp(text, "sb_publishable_", 15) == 0;
}

static void
add_defaults(struct target *t, const char *host, const char *application_name,
             int64_t connect_timeout_ms)
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
    if (!is_local(host) && getenv("PGSSLMODE") == NULL)
        add(t, "sslmode", "require");
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
    add_defaults(t, host, application_name, connect_timeout_ms);
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
