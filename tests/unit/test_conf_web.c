/*
 * The options of the processes that serve HTTP; and secrets: where they may come from, that
 * they are not shown, and who may keep them.
 */
#include "config/conf.h"

#include "base/forget.h"
#include "conf_file.h"
#include "tap.h"

#define LISTEN "gateway.listen: '127.0.0.1:8480'\n"
#define LOGIN "gateway.database_url: postgresql://gateway@h/d\n"

static void
test_presets(void)
{
    struct err err;
    struct conf *c = conf_from("", &err);

    is_int(c->gateway.listen.n, 0, "there is no gateway");
    is_int(c->dashboard.listen.n, 0, "nor a dashboard");
    is_int(c->gateway.connections_max, 10000, "a gateway is for many");
    is_int(c->dashboard.connections_max, 100, "a dashboard for few");
    is_int(c->gateway.idle_ms, 60000, "their times have units");
    is_str(c->gateway_roles.items[0], "authenticated", "tokens are of users");
    is_str(c->jwt_secret, NULL, "secrets are not made up");
    conf_free(c);
}

static const char *
listen_error(const char *address)
{
    static char text[200];

    snprintf(text, sizeof(text), "dashboard.listen: ['%s']\n", address);
    return conf_error(text);
}

static void
test_listen(void)
{
    static const char *const good[] = {"127.0.0.1:8480", "[::1]:8480", "/run/x.sock", "systemd"};
    static const char *const bad[] = {"8480",  ":8480",      "127.0.0.1",   "127.0.0.1:0",
                                      "h:x",   "::1:80",     "[::1:80",     "127.0.0.1:65536",
                                      "a b:1", "relative/x", "127.0.0.1:-1"};

    for (size_t i = 0; i < LENGTH(good); i++)
        is_str(listen_error(good[i]), "(accepted)", "'%s' is an address", good[i]);
    for (size_t i = 0; i < LENGTH(bad); i++)
        has_str(listen_error(bad[i]), "'dashboard.listen' must be", "'%s' is none", bad[i]);
    has_str(conf_error("gateway.origins: ['https://a.example/path']\n"), "origins",
            "an origin has no path");
    is_str(conf_error("gateway.origins: ['https://a.example:8443', 'http://localhost:3000']\n"),
           "(accepted)", "but perhaps a port");
}

static void
test_gateway_needs(void)
{
    has_str(conf_error(LISTEN LOGIN), "gateway.jwt_secret (SUPABASE_JWT_SECRET) or gateway.jwks",
            "without a key there is no gateway");
    has_str(conf_error(LISTEN "gateway.jwt_secret: x\n"), "without 'gateway.database_url'",
            "nor without a login");
    is_str(conf_error(LISTEN LOGIN "gateway.jwt_secret: x\n"), "(accepted)", "with both there is");
    is_str(conf_error(LISTEN LOGIN "gateway.jwks_file: /x\n"), "(accepted)", "or with keys");
}

static void
test_references(void)
{
    AUTO(buf) struct buf shown = {.data = NULL};
    char text[200];
    struct conf *c;
    struct err err;

    snprintf(text, sizeof(text), "gateway.jwt_secret: 'file:%s'\ngateway.service_key: env:KEY\n",
             conf_write("secret", "of-a-file\n", 0600));
    has_str(conf_error(text), "gateway.service_key: no secret 'env:KEY'", "a variable is missing");
    setenv("KEY", "of-the-environment", 1);
    c = conf_from(text, &err);
    is_str(c->jwt_secret, "of-a-file", "a secret in a file");
    is_str(c->service_key, "of-the-environment", "a secret in a variable");
    conf_show(c, &shown);
    ok(strstr(buf_text(&shown), "of-") == NULL, "neither is shown");
    has_str(buf_text(&shown), "# jwt_secret: ****", "but that there is one");
    conf_free(c);
}

static void
test_supabase(void)
{
    struct err err;
    struct conf *c;

    setenv("SUPABASE_JWT_SECRET", "jwt", 1);
    setenv("SUPABASE_SECRET_KEY", "key", 1);
    setenv("DATABASE_URL", "postgresql://h/d", 1);
    c = conf_from("", &err);
    is_str(c->jwt_secret, "jwt", "SUPABASE_JWT_SECRET is taken");
    is_str(c->service_key, "key", "SUPABASE_SECRET_KEY is taken");
    conf_free(c);
    setenv("SUPABASE_SERVICE_ROLE_KEY", "role", 1);
    c = conf_from("", &err);
    is_str(c->service_key, "role", "SUPABASE_SERVICE_ROLE_KEY before it");
    conf_free(c);
    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
}

static void
test_changes(void)
{
    AUTO(buf) struct buf changes = {.data = NULL};
    struct err err;
    struct conf *old = conf_from("gateway.jwt_secret: one\n", &err);
    struct conf *fresh = conf_from("gateway.jwt_secret: two\n" LISTEN LOGIN, &err);

    ok(conf_diff(old, fresh, &changes), "a reload changes them");
    is_str(buf_text(&changes),
           "gateway.listen  -> 127.0.0.1:8480; gateway.database_url changed; gateway.jwt_secret "
           "changed",
           "and what they are is not told");
    conf_keep_fixed(fresh, old);
    is_str(fresh->jwt_secret, "two", "no restart is needed");
    conf_free(old);
    conf_free(fresh);
}

/* --- forgetting ---------------------------------------------------------------------------- */

static char in_static_memory[64];

static void
test_forget(void)
{
    /* Not whole in the program itself. */
    char *text = xasprintf("%s-%s", "planted", "in-memory-of-a-test"), *same = xstrdup(text);
    char *longer = xasprintf("before %s after", text), *other = xstrdup("planted-in-memory");
    char *few = xstrdup("short"), *variable;

    snprintf(in_static_memory, sizeof(in_static_memory), "%s", text);
    setenv("PLANTED", text, 1);
    variable = getenv("PLANTED");
    forget_texts((const char *const[]){text, "short"}, 2);
    is_str(text, "", "the text itself is gone");
    is_str(same, "", "so is a copy");
    is_str(longer, "before ", "also within another");
    is_str(in_static_memory, "", "and in static memory");
    is_str(variable, "", "and in the environment");
    is_str(other, "planted-in-memory", "what is not the same stays");
    is_str(few, "short", "what is too short is not looked for");
    setenv("PLANTED", "once more", 1);
    variable = getenv("PLANTED");
    forget_variable("PLANTED");
    ok(getenv("PLANTED") == NULL && variable[0] == '\0' && variable[5] == '\0',
       "a variable is forgotten where it lies");
    forget_variable("PLANTED");
    free(text);
    free(same);
    free(longer);
    free(other);
    free(few);
}

/* With a sanitizer what was freed may not be looked at. */
#if defined(__SANITIZE_ADDRESS__)
static void
test_freed(void)
{
}
#else
/* A text in memory that was freed; a compiler must not leave the writing out. */
static volatile char *
put_and_free(const char *text)
{
    char *volatile copy = xstrdup(text);

    free(copy);
    return copy;
}

static void
test_freed(void)
{
    char *text = xasprintf("%s-%s", "planted", "in-memory-that-is-freed-and-not-cleared");
    volatile char *freed = put_and_free(text);

    forget_texts((const char *const[]){text}, 1);
    /* What an allocator writes into it is at its beginning. */
    is_int(freed[30], 0, "what was freed is cleared, too");
    free(text);
}
#endif

#define DAEMON_URL "postgresql://d:the-daemons-password@h/d"
#define GATEWAY_URL "postgresql://g:the-gateways-p%40ssword@h/d"
#define JWT "the-secret-of-the-tokens-of-users"
#define KEY "the-service-key-of-the-application"

static struct conf *
forget_as(enum conf_holder who, const char *more)
{
    char text[600];
    struct err err;
    struct conf *c;

    clearenv();
    setenv("PATH", "/usr/bin:/bin", 1);
    setenv("SUPABASE_JWT_SECRET", JWT, 1);
    setenv("SUPABASE_SERVICE_ROLE_KEY", KEY, 1);
    setenv("PGPASSWORD", "the-daemons-password", 1);
    setenv("PGHOST", "h", 1);
    setenv("OF_A_HANDLER", "what a handler is given", 1);
    snprintf(text, sizeof(text), "database.url: %s\ngateway.database_url: %s\n%s", DAEMON_URL,
             GATEWAY_URL, more);
    c = conf_from(text, &err);
    conf_forget(c, who);
    return c;
}

static const char *
last_of(const char *const *list)
{
    const char *last = NULL;

    for (; *list != NULL; list++)
        last = *list;
    return last;
}

static void
test_holders(void)
{
    static const char *const handler =
        "handlers: {a: {exec: sh, env: [SUPABASE_SERVICE_ROLE_KEY]}}\n";
    struct conf *c = forget_as(CONF_OF_GATEWAY, handler);

    ok(c->db_url == NULL && c->n_handlers == 0, "the gateway does not know the daemon's login");
    is_str(c->gateway_url, GATEWAY_URL, "but its own");
    is_str(c->jwt_secret, JWT, "and the secret of tokens");
    is_str(c->service_key, KEY, "and the service key");
    ok(getenv("PGPASSWORD") == NULL && getenv("OF_A_HANDLER") == NULL, "nor the environment");
    is_str(getenv("PGHOST"), "h", "but what libpq wants to know");
    conf_free(c);

    c = forget_as(CONF_OF_WORKER, "");
    is_str(c->db_url, DAEMON_URL, "a worker knows its login");
    ok(c->gateway_url == NULL && c->jwt_secret == NULL && c->service_key == NULL,
       "and nothing of the gateway's");
    ok(getenv("SUPABASE_JWT_SECRET") == NULL && getenv("SUPABASE_SERVICE_ROLE_KEY") == NULL,
       "in the environment neither");
    is_str(getenv("OF_A_HANDLER"), "what a handler is given", "what handlers may want stays");
    conf_free(c);

    c = forget_as(CONF_OF_WORKER, handler);
    is_str(getenv("SUPABASE_SERVICE_ROLE_KEY"), KEY, "so does a key that one of them names");
    is_str(last_of(c->handlers[0].envp), "SUPABASE_SERVICE_ROLE_KEY=" KEY, "and is given");
    conf_free(c);

    c = forget_as(CONF_OF_DASHBOARD, "");
    ok(c->service_key == NULL, "a dashboard does not know the service key");
    conf_free(c);
    c = forget_as(CONF_OF_DASHBOARD, "dashboard.service_key_login: yes\n");
    is_str(c->service_key, KEY, "but to compare it with what somebody logs in with");
    is_str(c->db_url, DAEMON_URL, "and the daemon's login");
    conf_free(c);
}

/* Two logins with the same password: who has one of them needs it. */
static void
test_same(void)
{
    struct conf *c;
    struct err err;

    clearenv();
    c = conf_from("database.url: postgresql://d:the-same-password@h/d\n"
                  "gateway.database_url: postgresql://g:the-same-password@h/d\n",
                  &err);
    conf_forget(c, CONF_OF_GATEWAY);
    is_str(c->gateway_url, "postgresql://g:the-same-password@h/d", "a text that is needed stays");
    conf_free(c);
}

int
main(void)
{
    conf_dir_make();
    test_presets();
    test_listen();
    test_gateway_needs();
    test_references();
    test_supabase();
    test_changes();
    test_forget();
    test_freed();
    test_holders();
    test_same();
    return done_testing();
}
