/*
 * What a child does not need of the secrets is taken out of its memory: one that is broken
 * into cannot tell what it does not know.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/forget.h"
#include "config/internal.h"

#define BIT(holder) (1U << (holder))
#define ALL_BUT_GATEWAY (BIT(CONF_OF_WORKER) | BIT(CONF_OF_JANITOR) | BIT(CONF_OF_DASHBOARD))

enum secret_name { LOGIN, PASSWORD, GATEWAY_LOGIN, JWT_SECRET, SERVICE_KEY };

/* Whose secret is it?  Also where users of other tools have it in the environment. */
/* clang-format off */
static const struct secret {
    const char *option; /* NULL: only the variables */
    unsigned holders;
    const char *variables[3];
} secrets[] = {
    [LOGIN] =         {"database.url",         ALL_BUT_GATEWAY,      {"DATABASE_URL", "SUPABASE_DB_URL"}},
    [PASSWORD] =      {NULL,                   ALL_BUT_GATEWAY,      {"PGPASSWORD"}},
    [GATEWAY_LOGIN] = {"gateway.database_url", BIT(CONF_OF_GATEWAY), {NULL}},
    [JWT_SECRET] =    {"gateway.jwt_secret",   BIT(CONF_OF_GATEWAY), {"SUPABASE_JWT_SECRET"}},
    [SERVICE_KEY] =   {"gateway.service_key",  BIT(CONF_OF_GATEWAY), {"SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SECRET_KEY"}},
};
/* clang-format on */

struct forgetting {
    struct conf *conf;
    enum conf_holder who;
    const char *texts[FORGET_MAX];
    size_t n;
};

static const char **
text_of(struct conf *conf, const struct option *o)
{
    return (const char **)(void *)((char *)conf + o->field);
}

/* --- what must stay ---------------------------------------------------------------------- */

static bool
holds(const char *text, const char *part)
{
    return text != NULL && strstr(text, part) != NULL;
}

static bool
list_holds(const char *const *items, const char *part)
{
    for (; items != NULL && *items != NULL; items++) {
        if (holds(*items, part))
            return true;
    }
    return false;
}

/* Is it given to a handler, or named by one?  Only workers have any. */
static bool
is_for_handlers(const struct forgetting *f, const char *part)
{
    if (f->who != CONF_OF_WORKER)
        return false;
    if (list_holds(f->conf->env.items, part))
        return true;
    for (size_t i = 0; i < f->conf->n_handlers; i++) {
        const struct handler_conf *h = &f->conf->handlers[i];

        if (list_holds(h->env.items, part) || list_holds(h->envp, part) ||
            list_holds(h->headers.items, part) || holds(h->sign, part))
            return true;
    }
    return false;
}

/* Does an option that this process keeps say the same, or more? */
static bool
is_kept(const struct forgetting *f, const char *text)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];

        if (o->type == OPTION_TEXT && holds(*text_of(f->conf, o), text))
            return true;
    }
    return is_for_handlers(f, text);
}

/* --- what has to go ------------------------------------------------------------------------- */

static void
add(struct forgetting *f, const char *text)
{
    if (f->n < FORGET_MAX && strlen(text) >= FORGET_LEN_MIN && !is_kept(f, text))
        f->texts[f->n++] = text;
}

/* In place: %40 is @. */
static void
decode_percent(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; to++) {
        char hex[3] = "";

        if (from[0] == '%' && from[1] != '\0') {
            hex[0] = from[1];
            hex[1] = from[2];
        }
        if (isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1])) {
            *to = (char)strtol(hex, NULL, 16);
            from += 3;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* The password of a URL, as it stands there and as libpq has made it out, is a text by itself. */
static void
add_password(struct forgetting *f, const char *url)
{
    const char *user = strstr(url, "://"), *at = user != NULL ? strrchr(user, '@') : NULL;
    const char *colon = at != NULL ? memchr(user + 3, ':', (size_t)(at - user - 3)) : NULL;
    const char *setting = strstr(url, "password=");
    char *decoded;

    if (colon != NULL) {
        decoded = arena_memdup(&f->conf->arena, colon + 1, (size_t)(at - colon - 1));
        add(f, arena_strdup(&f->conf->arena, decoded));
        decode_percent(decoded);
        add(f, decoded);
    }
    if (setting != NULL) {
        setting += strlen("password=");
        add(f, arena_memdup(&f->conf->arena, setting, strcspn(setting, "& '")));
    }
}

static void
forget_value(const struct forgetting *f, const char *variable)
{
    if (!is_for_handlers(f, variable))
        forget_variable(variable);
}

static bool
is_holder(const struct forgetting *f, const struct secret *s)
{
    if (s == &secrets[SERVICE_KEY] && f->who == CONF_OF_DASHBOARD)
        return f->conf->dashboard_service_key_login == CONF_YES;
    return (s->holders & BIT(f->who)) != 0;
}

/* The gateway has no use for what else the daemon was given: keys of handlers, most likely. */
static bool
is_harmless(const char *entry)
{
    static const char *const names[] = {"PATH=", "HOME=",   "LANG=",          "LC_", "TZ=", "PG",
                                        "SSL_",  "TMPDIR=", "JOURNAL_STREAM="};

    for (size_t i = 0; i < LENGTH(names); i++) {
        if (strncmp(entry, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

static void
forget_environment(void)
{
    char name[256];

    for (size_t i = 0; environ != NULL && environ[i] != NULL;) {
        size_t len = strcspn(environ[i], "=");

        if (is_harmless(environ[i]) || len >= sizeof(name)) {
            i++;
            continue;
        }
        snprintf(name, sizeof(name), "%.*s", (int)len, environ[i]);
        forget_variable(name); /* the next one has its place now */
    }
}

/* What they are given may be keys, too. */
static void
drop_handlers(struct forgetting *f)
{
    for (size_t i = 0; i < f->conf->n_handlers; i++) {
        const char *const *entry = f->conf->handlers[i].envp;

        for (; entry != NULL && *entry != NULL; entry++) {
            if (!is_harmless(*entry))
                add(f, strchr(*entry, '=') + 1);
        }
    }
    f->conf->handlers = NULL;
    f->conf->n_handlers = 0;
}

/*
 * What is not held any more leaves the configuration first: so it is not among what stays.
 * Texts are looked for where they were, too; the arena has them still.
 */
static void
drop(struct forgetting *f)
{
    const char *dropped[LENGTH(secrets)] = {NULL};

    for (size_t i = 0; i < LENGTH(secrets); i++) {
        const struct option *o =
            secrets[i].option != NULL ? option_find(conf_options, secrets[i].option) : NULL;

        if (o == NULL || is_holder(f, &secrets[i]))
            continue;
        dropped[i] = *text_of(f->conf, o);
        *text_of(f->conf, o) = NULL;
    }
    for (size_t i = 0; i < LENGTH(secrets); i++) {
        if (dropped[i] == NULL)
            continue;
        add(f, dropped[i]);
        add_password(f, dropped[i]);
    }
}

static void
drop_variables(const struct forgetting *f)
{
    char own[64];

    for (size_t i = 0; i < LENGTH(secrets); i++) {
        if (is_holder(f, &secrets[i]))
            continue;
        if (secrets[i].option != NULL)
            forget_value(f, option_variable(option_find(conf_options, secrets[i].option), own));
        for (size_t j = 0; j < LENGTH(secrets[i].variables) && secrets[i].variables[j] != NULL; j++)
            forget_value(f, secrets[i].variables[j]);
    }
}

void
conf_forget(struct conf *conf, enum conf_holder who)
{
    struct forgetting f = {.conf = conf, .who = who};

    if (who == CONF_OF_GATEWAY)
        drop_handlers(&f);
    drop(&f);
    drop_variables(&f);
    if (who == CONF_OF_GATEWAY)
        forget_environment();
    forget_texts(f.texts, f.n);
}
