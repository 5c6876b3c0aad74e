/*
 * What a token with a good signature says.  Only what is asked for is judged: a claim that
 * nobody asks for may be anything.
 */
#include <string.h>

#include "jwt/internal.h"

/* The end of the year 9999: callers may count it in milliseconds. */
#define LATEST_S 253402300799

/* A claim that is a text without a NUL, else NULL. */
static const char *
text_of(const json_t *claims, const char *name)
{
    return json_string_value(json_object_get(claims, name));
}

/* Is it text, or an array of texts that holds it? */
static bool
is_or_has(const json_t *claim, const char *text)
{
    bool has = false;
    size_t i;
    json_t *one;

    if (json_is_string(claim))
        return strcmp(json_string_value(claim), text) == 0;
    json_array_foreach(claim, i, one)
    {
        if (!json_is_string(one))
            return false;
        has = has || strcmp(json_string_value(one), text) == 0;
    }
    return has;
}

static bool
is_no_number(const json_t *claim)
{
    return claim != NULL && !json_is_real(claim);
}

static bool
is_later(const json_t *claim, double limit_s)
{
    return claim != NULL && json_real_value(claim) > limit_s;
}

static enum jwt_verdict
judge_times(const json_t *claims, double now_s, double skew_s)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf");
    const json_t *iat = json_object_get(claims, "iat");

    if (is_no_number(exp) || is_no_number(nbf) || is_no_number(iat))
        return JWT_MALFORMED;
    if (exp == NULL)
        return JWT_ENDLESS;
    if (!is_later(exp, now_s - skew_s))
        return JWT_EXPIRED;
    if (is_later(nbf, now_s + skew_s) || is_later(iat, now_s + skew_s))
        return JWT_NOT_YET;
    return JWT_GOOD;
}

static const char *
copy(const json_t *claims, const char *name, struct arena *arena)
{
    const char *text = text_of(claims, name);

    return text != NULL ? arena_strdup(arena, text) : NULL;
}

enum jwt_verdict
jwt_claims_judge(const json_t *claims, const struct jwt_policy *policy, int64_t now_s,
                 struct arena *arena, struct jwt_claims *ret)
{
    enum jwt_verdict verdict = judge_times(claims, (double)now_s, (double)policy->skew_s);
    const char *issuer = text_of(claims, "iss");
    double exp_s = json_real_value(json_object_get(claims, "exp"));

    if (verdict != JWT_GOOD)
        return verdict;
    if (policy->audience != NULL && !is_or_has(json_object_get(claims, "aud"), policy->audience))
        return JWT_WRONG_AUDIENCE;
    if (policy->issuer != NULL && (issuer == NULL || strcmp(issuer, policy->issuer) != 0))
        return JWT_WRONG_ISSUER;
    ret->role = copy(claims, "role", arena);
    ret->sub = copy(claims, "sub", arena);
    ret->exp_s = exp_s < LATEST_S ? (int64_t)exp_s : LATEST_S;
    return JWT_GOOD;
}
