/*
 * JSON Web Tokens: verified and, for tests and development, made.  Signatures by OpenSSL's
 * EVP.  RFC 7515, 7517, 7518, 7519.
 *
 * The key decides what a signature must be, never the token: a key has one algorithm, and
 * a token whose header says another one is refused.
 */
#ifndef PGCREW_JWT_JWT_H
#define PGCREW_JWT_JWT_H

#include "base/arena.h"
#include "base/err.h"

#define JWT_BYTES_MAX 8192 /* longer tokens are refused unread */

/* --- keys ------------------------------------------------------------------------------- */

struct jwt_keys; /* HS256 secret and the keys of a JWKS file: HS256 (oct), RS256, ES256 */

struct jwt_key_source {
    const char *secret;    /* for HS256, at least 32 bytes; NULL or "": none */
    const char *jwks_file; /* NULL or "": none */
};

/*
 * Both are read.  ERR_CONFIG says which is not usable and why (a key that is too weak, a
 * file that is not a JWKS, neither given).  Keys of kinds we do not know are passed over.
 * Not for two threads at once, not even to verify.
 *
 * A token with a kid is verified by the key of that kid only, one without by every key of
 * its algorithm.  The secret serves each HS256 token whose kid no key of the file has:
 * Supabase puts a kid into tokens that it signs with the secret.
 */
bool jwt_keys_new(const struct jwt_key_source *from, struct jwt_keys **ret,
                  struct err *err) MUST_CHECK;
/*
 * Read the file again if it has changed (a stat, no more, when it has not).  On an error
 * the keys stay as they are; ret_changed tells that there are new ones.  An error is told
 * once, then no more until the file changes.
 */
bool jwt_keys_refresh(struct jwt_keys *keys, bool *ret_changed, struct err *err) MUST_CHECK;
size_t jwt_keys_count(const struct jwt_keys *keys);
void jwt_keys_free(struct jwt_keys *keys); /* wipes secrets; NULL is fine */

/* --- verifying -------------------------------------------------------------------------- */

enum jwt_verdict {
    JWT_GOOD,
    JWT_MALFORMED, /* not three parts of canonical base64url, JSON objects, with no key twice;
                      or with crit, b64, a time that is no number */
    JWT_NO_KEY,    /* no key for its kid and algorithm; "none" and unknown ones, too */
    JWT_BAD_SIGNATURE,
    JWT_ENDLESS, /* it has no exp */
    JWT_EXPIRED,
    JWT_NOT_YET, /* nbf or iat is in the future */
    JWT_WRONG_AUDIENCE,
    JWT_WRONG_ISSUER,
    JWT_VERDICTS
};

struct jwt_policy {
    const char *audience; /* aud must be it or hold it; NULL: any */
    const char *issuer;   /* NULL: any */
    int64_t skew_s;       /* of clocks: 30 */
};

struct jwt_claims {
    const char *json; /* the payload as it came: a JSON object */
    const char *role; /* NULL: none, or not a text */
    const char *sub;  /* the same */
    int64_t exp_s;    /* seconds since 1970, at most the year 9999; skew_s is not in it */
};

/*
 * Texts of ret live in the arena; ret is filled for JWT_GOOD only.  Nothing of the token is
 * trusted before its signature is good; comparisons of secrets take the same time always.
 * exp, nbf and iat are numbers, with or without fractions; exp must be there.
 */
enum jwt_verdict jwt_verify(const struct jwt_keys *keys, const struct jwt_policy *policy,
                            const char *token, size_t len, int64_t now_s, struct arena *arena,
                            struct jwt_claims *ret);
/* For a person: "JWT expired". */
const char *jwt_verdict_text(enum jwt_verdict verdict);
/* For a program: "expired". */
const char *jwt_verdict_name(enum jwt_verdict verdict);

/*
 * The payload of a token that nobody has verified, a JSON object, for a person to look at:
 * trust nothing of it.  NULL: it is no token.
 */
const char *jwt_payload(const char *token, size_t len, struct arena *arena);

/* --- making ----------------------------------------------------------------------------- */

/*
 * HS256 of this payload, a JSON object; the text is in the arena.  ERR_PERMANENT: it is no
 * such object, or the token would be too long; ERR_CONFIG: the secret is too short.
 */
bool jwt_make(const char *secret, const char *payload, struct arena *arena, const char **ret,
              struct err *err) MUST_CHECK;

#endif
