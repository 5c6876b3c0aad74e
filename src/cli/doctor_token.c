/*
 * The access token that a user's browser sends: the wrong kind, not valid, or of somebody
 * else than the owner of the job.  It is never shown.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/uuid.h"
#include "cli/doctor.h"
#include "cli/doctor_key.h"
#include "cli/tokens.h"
#include "cli/values.h"

#define SEND_THAT "send session.access_token of the signed-in user"

/* What to do about each verdict but the good one. */
static const char *const advices[JWT_VERDICTS] = {
    [JWT_MALFORMED] = "copy it again, whole and without line breaks",
    [JWT_NO_KEY] = "is it of this project? gateway.jwks_file may be too old, or an algorithm is "
                   "none of HS256, RS256, ES256",
    [JWT_BAD_SIGNATURE] = "it is signed with another secret: gateway.jwt_secret must be the one of "
                          "the project that gave it out",
    [JWT_ENDLESS] = "access tokens have an end; is it a key? " SEND_THAT,
    [JWT_EXPIRED] = "send the current one: supabase.auth.getSession() renews it",
    [JWT_NOT_YET] = "is the clock of this host slow?",
    [JWT_WRONG_AUDIENCE] = "gateway.jwt_audience says whom tokens must be for",
    [JWT_WRONG_ISSUER] = "gateway.jwt_issuer says who gives them out; is it of this project?",
};

static bool
is_allowed(const struct conf *conf, const char *role)
{
    for (size_t i = 0; i < conf->gateway_roles.n; i++) {
        if (strcmp(conf->gateway_roles.items[i], role) == 0)
            return true;
    }
    return false;
}

static void
say_good(struct doctor *d, const struct key *key)
{
    int64_t left_ms = (key->expires_s - (int64_t)time(NULL)) * 1000;
    struct uuid user;
    char left[32];

    if (!is_allowed(d->cli->conf, key->role))
        doctor_say(d, DOCTOR_ERROR, SEND_THAT, "it has role '%s', which is not in gateway.roles",
                   key->role);
    else if (!uuid_parse(key->user, &user))
        doctor_say(d, DOCTOR_ERROR, SEND_THAT, "its sub '%s' is not the UUID of a user", key->user);
    else
        doctor_say(d, DOCTOR_OK, NULL, "the gateway takes it: user %s, role '%s', for another %s",
                   key->user, key->role, text_ago(left, left_ms > 0 ? left_ms : 0));
}

static void
check_signed(struct doctor *d, const char *token, const struct key *key)
{
    struct token_seen seen;
    struct err err;

    if (tokens_verify(d->cli, token, &seen, &err)) {
        if (seen.verdict == JWT_GOOD)
            say_good(d, key);
        else
            doctor_say(d, DOCTOR_ERROR, advices[seen.verdict], "%s",
                       jwt_verdict_text(seen.verdict));
    } else if (key->expires_s != 0 && key->expires_s < (int64_t)time(NULL)) {
        doctor_say(d, DOCTOR_ERROR, advices[JWT_EXPIRED], "%s", jwt_verdict_text(JWT_EXPIRED));
    } else {
        doctor_say(d, DOCTOR_WARN, NULL,
                   "a token of user '%s', role '%s'; its signature cannot be checked here: %s",
                   key->user, key->role, err.text);
    }
}

static void
check_owner(struct doctor *d, const struct key *key, const json_t *job)
{
    int64_t id = value_int(job, "id");
    struct uuid user, owner;

    if (strcmp(value_text(job, "reason"), "unknown") == 0)
        return;
    if (!value_is_set(job, "user_id"))
        doctor_say(d, DOCTOR_ERROR, "enqueue it as the user, or with user_id",
                   "job %" PRId64 " has no user: no user sees it", id);
    else if (uuid_parse(key->user, &user) && uuid_parse(value_text(job, "user_id"), &owner) &&
             uuid_equal(&user, &owner))
        doctor_say(d, DOCTOR_OK, NULL, "job %" PRId64 " is this user's", id);
    else
        doctor_say(d, DOCTOR_ERROR, NULL, "job %" PRId64 " is another user's", id);
}

void
doctor_check_token(struct doctor *d, const char *token, const json_t *job)
{
    struct key key;

    d->check = "token";
    key_read(token, &key);
    switch (key.kind) {
    case KEY_PUBLIC:
        doctor_say(d, DOCTOR_ERROR, SEND_THAT,
                   "it is the anon or publishable key, not the token of a user");
        break;
    case KEY_SERVICE:
        doctor_say(d, DOCTOR_ERROR, SEND_THAT "; a key that a browser had must be replaced",
                   "it is a service key, not the token of a user");
        break;
    case KEY_BROKEN:
    case KEY_OTHER:
        doctor_say(d, DOCTOR_ERROR, advices[JWT_MALFORMED], "it is no token");
        break;
    case KEY_USER:
        check_signed(d, token, &key);
        if (job != NULL)
            check_owner(d, &key, job);
        break;
    }
}
