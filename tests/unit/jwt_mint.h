/*
 * Tokens for tests, good and forged, signed here by OpenSSL and not by what is tested.
 */
#ifndef PGCREW_TESTS_JWT_MINT_H
#define PGCREW_TESTS_JWT_MINT_H

#include <stddef.h>

#define MINT_SECRET "super-secret-jwt-token-with-at-least-32-characters-long"

/* What a token is signed with; the header says something else when the test wants it. */
enum mint_with {
    MINT_SECRET_HS256, /* the right ones: what mint_jwks() and MINT_SECRET verify */
    MINT_OCT_HS256,    /* kid "oct-1" */
    MINT_RSA_RS256,    /* kid "rsa-1" */
    MINT_EC_ES256,     /* kid "ec-1" */
    MINT_GOOD,         /* --- how many these are */

    MINT_NOTHING = MINT_GOOD, /* an empty signature */
    MINT_SECRET_HS384,
    MINT_SECRET_HS512,
    MINT_RSA_RS512,
    MINT_RSA_PS256,
    MINT_EC_DER, /* ES256 as OpenSSL writes it */
    MINT_EC384_ES384,
    MINT_ED25519,
    MINT_OTHER_HS256, /* keys that nobody has told us */
    MINT_OTHER_RS256,
    MINT_OTHER_ES256,
    MINT_HMAC_EMPTY,   /* HS256 with what is public: an empty secret */
    MINT_HMAC_RSA_PEM, /* the public key as PEM, DER, and the members of its JWK */
    MINT_HMAC_RSA_DER,
    MINT_HMAC_RSA_N,
    MINT_HMAC_RSA_N_BYTES,
    MINT_HMAC_EC_PEM,
    MINT_HMAC_EC_DER,
    MINT_HMAC_EC_X,
    MINT_HMAC_EC_POINT,
    MINT_HMAC_KID, /* the name of the key */
    MINT_KINDS
};

void mint_open(void); /* makes the keys */
void mint_close(void);

/* "HS256", "RS256" ... as an honest header has it; and its kid, NULL for the secret. */
const char *mint_alg(enum mint_with with);
const char *mint_kid(enum mint_with with);

/*
 * header.payload.signature of these bytes, whatever they are.  header NULL: the honest one.
 * All texts that are returned are good until mint_forget().
 */
const char *mint(enum mint_with with, const char *header, const char *payload);
const char *mint_bytes(enum mint_with with, const void *header, size_t header_len,
                       const void *payload, size_t payload_len);
void mint_forget(void);

/* A JWK set with the public keys and the oct key; and one JWK of it. */
const char *mint_jwks(void);
const char *mint_jwk(enum mint_with with);

const char *mint_base64(const void *data, size_t len);

#endif
