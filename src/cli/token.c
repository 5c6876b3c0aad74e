/*
 * token: make a token of a user, for tests and for development, and look at one.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/uuid.h"
#include "cli/commands.h"
#include "cli/out.h"
#include "cli/tokens.h"
#include "cli/values.h"
#include "cli/when.h"

#define HOUR_MS 3600000
#define LONGEST_MS (INT64_C(10) * 366 * 24 * HOUR_MS)

const struct cli_option token_options[] = {
    {.name = "sub", .value = "UUID", .help = "the user (default: a random one)"},
    {.name = "role", .value = "ROLE", .help = "the role (default authenticated)"},
    {.name = "email", .value = "ADDRESS", .help = "the user's address"},
    {.name = "claim", .value = "NAME=JSON", .help = "any claim, as often as wanted"},
    {.name = "for", .value = "TIME", .help = "how long it is valid: 90s, 1h30min (default 1h)"},
    {.name = "service", .help = "a service_role token without a user"},
    {.name = "verify",
     .value = "TOKEN",
     .help = "look at this one instead (-: standard input)",
     .is_secret = true},
    {.name = NULL},
};

/* --- making ------------------------------------------------------------------------------- */

struct wish {
    struct cli *cli;
    json_t *claims;
    int64_t now_s, for_ms;
};

/* Whole numbers stay whole, where they fit. */
static bool
parse(const char *text, json_t **ret, struct err *err)
{
    json_t *exact;

    if (!value_parse(text, strlen(text), ret, err))
        return false;
    exact = json_loads(text, JSON_DECODE_ANY, NULL);
    if (exact != NULL) {
        json_decref(*ret);
        *ret = exact;
    }
    return true;
}

static void
set_text(struct wish *w, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_new(w->claims, name, json_string(text));
}

static bool
add_claim(struct wish *w, const char *word)
{
    const char *equals = strchr(word, '=');
    json_t *value;
    char *name;
    struct err err;

    if (equals == NULL || equals == word) {
        cli_failf(w->cli, CLI_USAGE, "--claim wants NAME=JSON, not '%s'", word);
        return false;
    }
    name = arena_memdup(&w->cli->arena, word, (size_t)(equals - word));
    if (!parse(equals + 1, &value, &err)) {
        err_before(&err, "claim '%s' (a text has quotes: '%s=\"...\"')", name, name);
        cli_fail(w->cli, CLI_USAGE, &err);
        return false;
    }
    json_object_set_new(w->claims, name, value);
    return true;
}

static bool
read_user(struct wish *w, const struct args *args)
{
    const char *sub = args_value(args, "sub"), *role = args_value(args, "role");
    struct uuid user = uuid_random();
    char text[UUID_TEXT_SIZE];

    if (args_has(args, "service")) {
        if (sub != NULL || role != NULL || args_has(args, "email")) {
            cli_failf(w->cli, CLI_USAGE, "--service excludes --sub, --role and --email");
            return false;
        }
        set_text(w, "role", "service_role");
        return true;
    }
    if (sub != NULL && !cli_uuid(w->cli, "user", sub, &user))
        return false;
    set_text(w, "sub", uuid_text(text, &user));
    set_text(w, "role", role != NULL ? role : "authenticated");
    set_text(w, "email", args_value(args, "email"));
    return true;
}

static bool
read_duration(struct wish *w, const struct args *args)
{
    const char *word = args_value(args, "for");
    struct err err;

    w->for_ms = HOUR_MS;
    if (word != NULL && !when_parse_in(word, &w->for_ms, &err)) {
        cli_fail(w->cli, CLI_USAGE, &err);
        return false;
    }
    if (w->for_ms >= 1000 && w->for_ms <= LONGEST_MS)
        return true;
    cli_failf(w->cli, CLI_USAGE, "--for must be from 1 second to 10 years");
    return false;
}

/* What the gateway of this configuration asks for is there, unless --claim says otherwise. */
static bool
read_wish(struct wish *w, const struct args *args)
{
    const struct conf *conf = w->cli->conf;
    const char *const *claims;
    size_t n = args_all(args, "claim", &w->cli->arena, &claims);

    if (!read_duration(w, args) || !read_user(w, args))
        return false;
    set_text(w, "aud", conf->jwt_audience != NULL ? conf->jwt_audience : "authenticated");
    set_text(w, "iss", conf->jwt_issuer);
    json_object_set_new(w->claims, "iat", json_integer(w->now_s));
    json_object_set_new(w->claims, "exp", json_integer(w->now_s + w->for_ms / 1000));
    for (size_t i = 0; i < n; i++) {
        if (!add_claim(w, claims[i]))
            return false;
    }
    return true;
}

/* Null when the claims say no such time. */
static json_t *
end_of(const json_t *claims)
{
    const json_t *exp = json_object_get(claims, "exp");
    double seconds = json_number_value(exp);
    time_t at = seconds > 0 && seconds < 253402300800.0 ? (time_t)seconds : 0;
    char text[WHEN_TEXT_SIZE];
    struct tm tm;

    if (at == 0 || gmtime_r(&at, &tm) == NULL)
        return json_null();
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
    return json_string(text);
}

static void
warn(const struct wish *w, const json_t *end)
{
    const char *sub = value_text(w->claims, "sub"), *role = value_text(w->claims, "role");
    AUTO(mem) char *who = NULL, *until = NULL, *text = NULL;

    who = sub[0] != '\0' ? xasprintf("is signed in as user %s", sub)
                         : xasprintf("acts as role %s", role);
    until = json_is_string(end) ? xasprintf(" until %s", json_string_value(end)) : xstrdup("");
    text = xasprintf("note: whoever has this token %s%s", who, until);
    out_note(text);
}

static enum cli_exit
print_made(const struct wish *w, const char *token)
{
    json_t *end = end_of(w->claims);

    warn(w, end);
    if (w->cli->json)
        out_json(w->cli, json_pack("{s:s, s:O, s:O}", "token", token, "claims", w->claims,
                                   "expires_at", end));
    else
        puts(token);
    json_decref(end);
    return CLI_DONE;
}

static enum cli_exit
make(struct wish *w, const struct args *args)
{
    AUTO(mem) char *payload = NULL;
    const char *secret = NULL, *token;
    struct err err;

    if (!tokens_secret(w->cli, &secret, &err))
        return cli_fail(w->cli, CLI_USAGE, &err);
    if (!read_wish(w, args))
        return w->cli->status;
    if (secret == NULL)
        return cli_failf(w->cli, CLI_USAGE,
                         "there is no secret to sign with: set SUPABASE_JWT_SECRET, or "
                         "gateway.jwt_secret in the configuration");
    payload = json_dumps(w->claims, JSON_COMPACT);
    if (payload == NULL)
        return cli_failf(w->cli, CLI_USAGE, "the claims are not valid UTF-8");
    if (!jwt_make(secret, payload, &w->cli->arena, &token, &err))
        return cli_fail(w->cli, CLI_USAGE, &err);
    return print_made(w, token);
}

/* --- looking ------------------------------------------------------------------------------ */

static void
print_seen(struct cli *cli, const struct token_seen *seen)
{
    bool good = seen->verdict == JWT_GOOD;
    json_t *claims = NULL;
    struct err err;

    if (seen->claims != NULL && !parse(seen->claims, &claims, &err))
        claims = NULL;
    if (cli->json) {
        out_json(cli, json_pack("{s:s, s:b, s:o?, s:o}", "verdict", jwt_verdict_name(seen->verdict),
                                "good", good, "claims", claims, "expires_at", end_of(claims)));
        return;
    }
    printf("%s%s%s\n", out_colour(cli, good ? OUT_GREEN : OUT_RED), jwt_verdict_text(seen->verdict),
           out_colour(cli, OUT_PLAIN));
    if (claims != NULL) {
        AUTO(mem) char *text = json_dumps(claims, JSON_INDENT(2));

        printf("%sclaims:\n", good ? "" : "not verified ");
        out_printable(stdout, text != NULL ? text : "", true);
        putchar('\n');
        json_decref(claims);
    }
}

static enum cli_exit
verify(struct cli *cli, const char *word)
{
    const char *token = tokens_read(cli, word);
    struct token_seen seen;
    struct err err;

    if (token == NULL)
        return cli->status;
    if (!tokens_verify(cli, token, &seen, &err))
        return cli_fail(cli, CLI_USAGE, &err);
    print_seen(cli, &seen);
    return seen.verdict == JWT_GOOD ? CLI_DONE : CLI_NOT_DONE;
}

/* Nothing can be said of a token that is there already. */
static bool
is_alone(struct cli *cli, const struct args *args)
{
    for (const struct cli_option *o = token_options; o->name != NULL; o++) {
        if (strcmp(o->name, "verify") == 0 || !args_has(args, o->name))
            continue;
        cli_failf(cli, CLI_USAGE, "--verify and --%s exclude each other", o->name);
        return false;
    }
    return true;
}

enum cli_exit
token_run(struct cli *cli, const struct args *args)
{
    struct wish w = {.cli = cli, .now_s = (int64_t)time(NULL)};
    enum cli_exit status;

    if (args_has(args, "verify"))
        return is_alone(cli, args) ? verify(cli, args_value(args, "verify")) : cli->status;
    w.claims = json_object();
    status = make(&w, args);
    json_decref(w.claims);
    return status;
}
