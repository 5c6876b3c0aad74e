/*
 * What the files of this room share: base64url, JSON, one key, a set of keys.
 */
#ifndef PGCREW_JWT_INTERNAL_H
#define PGCREW_JWT_INTERNAL_H

#include <jansson.h>
#include <openssl/evp.h>

#include "jwt/jwt.h"

#define JWT_SECRET_MIN 32 /* bytes: as many as HS256 makes (RFC 7518, 3.2) */
#define JWT_KEYS_MAX 100
#define JWT_DIGEST_BYTES 32 /* of SHA-256 */
#define JWKS_BYTES_MAX ((size_t)1024 * 1024)

/* --- base64url (base64url.c) --------------------------------------------------------------- */

/*
 * RFC 4648, section 5, as RFC 7515 wants it: no padding, no white space, and the bits of the
 * last letter that are left over are zero, so there is one text for some bytes.  The bytes
 * are in the arena, followed by a NUL.
 */
bool jwt_base64_decode(const char *text, size_t len, struct arena *arena, const char **ret,
                       size_t *ret_len) MUST_CHECK;
const char *jwt_base64_encode(const void *data, size_t len, struct arena *arena);

/* --- JSON (json.c) ------------------------------------------------------------------------- */

static inline void
auto_json(json_t **json)
{
    json_decref(*json);
}

/*
 * A JSON object, NULL when it is none: no name twice in any object, nothing behind it, not
 * too deep, valid UTF-8, no NUL in any text.  All numbers are reals.
 */
json_t *jwt_parse_object(const char *text, size_t len) MUST_CHECK;

/* --- one key (key.c) ----------------------------------------------------------------------- */

enum jwt_alg { JWT_HS256, JWT_RS256, JWT_ES256, JWT_ALGS };

/* "RS256"; JWT_ALGS for any other text. */
enum jwt_alg jwt_alg_named(const char *name);

struct jwt_bytes {
    const char *data;
    size_t len;
};

struct jwt_key {
    enum jwt_alg alg;
    char *kid;            /* NULL: it has none */
    EVP_MAC_CTX *mac;     /* HS256: it knows the secret */
    EVP_PKEY_CTX *public; /* RS256, ES256: ready to verify */
};

/* What is not good enough is refused: err says why, without the key. */
bool jwt_key_of_secret(struct jwt_bytes secret, struct jwt_key *ret, struct err *err) MUST_CHECK;
/* Numbers as in a JWK: the first byte is the highest. */
bool jwt_key_of_rsa(struct jwt_bytes n, struct jwt_bytes e, struct jwt_key *ret,
                    struct err *err) MUST_CHECK;
bool jwt_key_of_point(struct jwt_bytes x, struct jwt_bytes y, struct jwt_key *ret,
                      struct err *err) MUST_CHECK;
void jwt_key_release(struct jwt_key *key);

/* Is this the signature of the text, as the algorithm of the key has it? */
bool jwt_key_verifies(const struct jwt_key *key, struct jwt_bytes text,
                      struct jwt_bytes signature) MUST_CHECK;
/* HS256 of the text. */
bool jwt_key_sign(const struct jwt_key *key, struct jwt_bytes text,
                  unsigned char ret[JWT_DIGEST_BYTES]) MUST_CHECK;

/* SHA-256. */
bool jwt_digest(struct jwt_bytes text, unsigned char ret[JWT_DIGEST_BYTES]) MUST_CHECK;

/* --- tokens that were good before (cache.c) ------------------------------------------------ */

/* Bounded: the newest few thousand, more or less. */
struct jwt_cache;

struct jwt_cache *jwt_cache_new(void);
void jwt_cache_free(struct jwt_cache *cache); /* NULL is fine */
void jwt_cache_clear(struct jwt_cache *cache);
bool jwt_cache_has(const struct jwt_cache *cache, const unsigned char digest[JWT_DIGEST_BYTES]);
void jwt_cache_add(struct jwt_cache *cache, const unsigned char digest[JWT_DIGEST_BYTES]);

/* --- a set of keys (jwks.c, keys.c) -------------------------------------------------------- */

struct jwt_key_list {
    struct jwt_key *keys;
    size_t n;
};

void jwt_key_list_release(struct jwt_key_list *list);

/* The usable keys of a JWK set; ERR_CONFIG names the one that is not what it should be. */
bool jwt_jwks_parse(const char *text, size_t len, struct jwt_key_list *ret,
                    struct err *err) MUST_CHECK;

struct jwt_signed {
    struct jwt_bytes token;     /* all of it */
    struct jwt_bytes text;      /* header and payload as they came, with their dot */
    struct jwt_bytes signature; /* its bytes */
};

/* JWT_GOOD, JWT_NO_KEY or JWT_BAD_SIGNATURE.  kid NULL: the token has none. */
enum jwt_verdict jwt_keys_judge(const struct jwt_keys *keys, enum jwt_alg alg, const char *kid,
                                const struct jwt_signed *what);
/* For tests. */
struct jwt_cache *jwt_keys_cache(const struct jwt_keys *keys);

/* --- claims (claims.c) --------------------------------------------------------------------- */

/* Judge the claims; what ret says is in the arena. */
enum jwt_verdict jwt_claims_judge(const json_t *claims, const struct jwt_policy *policy,
                                  int64_t now_s, struct arena *arena, struct jwt_claims *ret);

#endif
