/*
 * Who asks.  Nobody gets to the database who has not been verified here.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "gateway/state.h"
#include "gateway/token.h"

/* Codes of PostgREST. */
#define NOBODY "PGRST302"
#define BAD_TOKEN "PGRST301"
#define BAD_CLAIMS "PGRST303"
#define FORBIDDEN "42501"

static bool
unauthorized(struct web_request *r, const char *code, const char *message, const char *hint)
{
    char challenge[160] = "Bearer";

    if (strcmp(code, NOBODY) != 0)
        snprintf(challenge, sizeof(challenge),
                 "Bearer error=\"invalid_token\", error_description=\"%s\"", message);
    web_add_header(r, "WWW-Authenticate", challenge);
    answer_trouble(
        r, &(struct trouble){.status = 401, .code = code, .message = message, .hint = hint});
    return false;
}

static bool
forbidden(struct web_request *r, const char *message, const char *hint)
{
    answer_trouble(
        r, &(struct trouble){.status = 403, .code = FORBIDDEN, .message = message, .hint = hint});
    return false;
}

static const char *
code_of(enum jwt_verdict verdict)
{
    switch (verdict) {
    case JWT_ENDLESS:
    case JWT_EXPIRED:
    case JWT_NOT_YET:
    case JWT_WRONG_AUDIENCE:
    case JWT_WRONG_ISSUER:
        return BAD_CLAIMS;
    default:
        return BAD_TOKEN;
    }
}

static bool
is_allowed(const struct conf *conf, const char *role)
{
    if (role == NULL || strcmp(role, "service_role") == 0)
        return false;
    for (size_t i = 0; i < conf->gateway_roles.n; i++) {
        if (strcmp(conf->gateway_roles.items[i], role) == 0)
            return true;
    }
    return false;
}

static bool
check_claims(struct gateway *g, struct web_request *r, const struct jwt_claims *claims)
{
    struct uuid sub;

    if (!is_allowed(g->conf, claims->role))
        return forbidden(r, "the role of this token may not be used here",
                         "send the access_token of a signed-in user");
    if (claims->sub == NULL || !uuid_parse(claims->sub, &sub))
        return unauthorized(r, BAD_CLAIMS, "JWT sub is not a UUID",
                            "send the access_token of a signed-in user");
    return true;
}

bool
auth_user(struct gateway *g, struct web_request *r, struct user *ret)
{
    struct token_places places = {.authorization = web_header(r, "Authorization"),
                                  .apikey = web_header(r, "apikey"),
                                  .query = web_query(r, "access_token")};
    struct jwt_claims claims;
    const char *token = NULL;
    size_t len = 0;
    enum token_kind kind = token_pick(&places, g->conf->service_key, &token, &len);
    enum jwt_verdict verdict;

    if (kind == TOKEN_SERVICE)
        return forbidden(r, "the service key is not for the paths of users",
                         "send the access_token of a signed-in user; servers use the database");
    if (kind != TOKEN_USER)
        return unauthorized(r, NOBODY, "not signed in",
                            kind == TOKEN_PUBLIC
                                ? "this is the key of the project: send session.access_token"
                                : "send Authorization: Bearer and the user's access_token");
    verdict =
        jwt_verify(g->keys, &g->policy, token, len, clock_real_ms() / 1000, web_arena(r), &claims);
    if (verdict != JWT_GOOD)
        return unauthorized(r, code_of(verdict), jwt_verdict_text(verdict), NULL);
    if (!check_claims(g, r, &claims))
        return false;
    *ret = (struct user){
        .role = claims.role, .sub = claims.sub, .claims = claims.json, .exp_s = claims.exp_s};
    return true;
}
