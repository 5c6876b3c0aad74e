/*
 * A token from the first dot to the last claim.  The order is: its shape, its header, its
 * signature, and only then its payload.
 */
#include <string.h>

#include "jwt/internal.h"

struct parts {
    struct jwt_bytes header, payload;
    struct jwt_signed what;
};

static bool
decode(const char *text, size_t len, struct arena *arena, struct jwt_bytes *ret)
{
    return len > 0 && jwt_base64_decode(text, len, arena, &ret->data, &ret->len);
}

/* A fourth dot is no letter of base64url, so there are three parts or none. */
static bool
take_apart(const char *text, size_t len, struct arena *arena, struct parts *ret)
{
    const char *end = text + len, *first, *second;

    if (len > JWT_BYTES_MAX)
        return false;
    first = memchr(text, '.', len);
    if (first == NULL)
        return false;
    second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (second == NULL)
        return false;
    ret->what.token = (struct jwt_bytes){text, len};
    ret->what.text = (struct jwt_bytes){text, (size_t)(second - text)};
    return decode(text, (size_t)(first - text), arena, &ret->header) &&
           decode(first + 1, (size_t)(second - first - 1), arena, &ret->payload) &&
           decode(second + 1, (size_t)(end - second - 1), arena, &ret->what.signature);
}

/*
 * "crit" names what must be understood, and we understand nothing of that; "b64" would
 * change what is signed (RFC 7797).  Keys that a token brings along are not looked at.
 */
static bool
is_header_fine(const json_t *header)
{
    const json_t *kid = json_object_get(header, "kid");

    return header != NULL && json_is_string(json_object_get(header, "alg")) &&
           (kid == NULL || json_is_string(kid)) && json_object_get(header, "crit") == NULL &&
           json_object_get(header, "b64") == NULL;
}

static enum jwt_verdict
judge_signature(const struct jwt_keys *keys, const struct parts *parts)
{
    AUTO(json) json_t *header = jwt_parse_object(parts->header.data, parts->header.len);
    enum jwt_alg alg;

    if (!is_header_fine(header))
        return JWT_MALFORMED;
    alg = jwt_alg_named(json_string_value(json_object_get(header, "alg")));
    return jwt_keys_judge(keys, alg, json_string_value(json_object_get(header, "kid")),
                          &parts->what);
}

enum jwt_verdict
jwt_verify(const struct jwt_keys *keys, const struct jwt_policy *policy, const char *token,
           size_t len, int64_t now_s, struct arena *arena, struct jwt_claims *ret)
{
    AUTO(json) json_t *claims = NULL;
    struct jwt_claims said = {.json = NULL};
    struct parts parts;
    enum jwt_verdict verdict;

    if (!take_apart(token, len, arena, &parts))
        return JWT_MALFORMED;
    verdict = judge_signature(keys, &parts);
    if (verdict != JWT_GOOD)
        return verdict;
    claims = jwt_parse_object(parts.payload.data, parts.payload.len);
    if (claims == NULL)
        return JWT_MALFORMED;
    said.json = parts.payload.data;
    verdict = jwt_claims_judge(claims, policy, now_s, arena, &said);
    if (verdict == JWT_GOOD)
        *ret = said;
    return verdict;
}

const char *
jwt_payload(const char *token, size_t len, struct arena *arena)
{
    AUTO(json) json_t *claims = NULL;
    struct parts parts;

    if (!take_apart(token, len, arena, &parts))
        return NULL;
    claims = jwt_parse_object(parts.payload.data, parts.payload.len);
    return claims != NULL ? parts.payload.data : NULL;
}

static const struct {
    const char *name, *text;
} verdicts[JWT_VERDICTS] = {
    [JWT_GOOD] = {"good", "JWT is valid"},
    [JWT_MALFORMED] = {"malformed", "JWT is malformed"},
    [JWT_NO_KEY] = {"no_key", "JWT is signed with an unknown key or algorithm"},
    [JWT_BAD_SIGNATURE] = {"bad_signature", "JWT has a wrong signature"},
    [JWT_ENDLESS] = {"endless", "JWT has no exp"},
    [JWT_EXPIRED] = {"expired", "JWT expired"},
    [JWT_NOT_YET] = {"not_yet", "JWT is not valid yet"},
    [JWT_WRONG_AUDIENCE] = {"wrong_audience", "JWT is for another audience"},
    [JWT_WRONG_ISSUER] = {"wrong_issuer", "JWT is from another issuer"},
};

const char *
jwt_verdict_text(enum jwt_verdict verdict)
{
    return (unsigned)verdict < JWT_VERDICTS ? verdicts[verdict].text : "JWT is not valid";
}

const char *
jwt_verdict_name(enum jwt_verdict verdict)
{
    return (unsigned)verdict < JWT_VERDICTS ? verdicts[verdict].name : "unknown";
}
