/*
 * One key: made and checked once, then it verifies.
 *
 * The contexts of OpenSSL are kept ready, because making them costs more than a HMAC.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "jwt/internal.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define RSA_EXPONENT_BITS_MAX 64 /* OpenSSL verifies with no longer one */
#define POINT_BYTES 32           /* of each coordinate of P-256, and of r and s */
#define POINT_UNCOMPRESSED 0x04  /* in front of x and y (SEC 1, 2.3.3) */

enum jwt_alg
jwt_alg_named(const char *name)
{
    static const char *const names[JWT_ALGS] = {"HS256", "RS256", "ES256"};
    unsigned i = 0;

    while (i < JWT_ALGS && strcmp(names[i], name) != 0)
        i++;
    return (enum jwt_alg)i;
}

void
jwt_key_release(struct jwt_key *key)
{
    EVP_MAC_CTX_free(key->mac);
    EVP_PKEY_CTX_free(key->public);
    free(key->kid);
    *key = (struct jwt_key){.kid = NULL};
}

bool
jwt_digest(struct jwt_bytes text, unsigned char ret[JWT_DIGEST_BYTES])
{
    return EVP_Digest(text.data, text.len, ret, NULL, EVP_sha256(), NULL) == 1;
}

/* What OpenSSL has noted of a failure would show up in somebody else's message. */
static bool
refuse(struct err *err, const char *why)
{
    ERR_clear_error();
    return err_set(err, ERR_CONFIG, "%s", why);
}

/* --- HS256 --------------------------------------------------------------------------------- */

bool
jwt_key_of_secret(struct jwt_bytes secret, struct jwt_key *ret, struct err *err)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx;

    if (secret.len < JWT_SECRET_MIN)
        return err_set(err, ERR_CONFIG, "it has %zu bytes and must have %d", secret.len,
                       JWT_SECRET_MIN);
    mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    ctx = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    if (ctx == NULL ||
        EVP_MAC_init(ctx, (const unsigned char *)secret.data, secret.len, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        return refuse(err, "OpenSSL does not make a HMAC of it");
    }
    *ret = (struct jwt_key){.alg = JWT_HS256, .mac = ctx};
    return true;
}

bool
jwt_key_sign(const struct jwt_key *key, struct jwt_bytes text, unsigned char ret[JWT_DIGEST_BYTES])
{
    size_t len = 0;

    /* Without a key: begin anew with the one it has. */
    return EVP_MAC_init(key->mac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(key->mac, (const unsigned char *)text.data, text.len) == 1 &&
           EVP_MAC_final(key->mac, ret, &len, JWT_DIGEST_BYTES) == 1 && len == JWT_DIGEST_BYTES;
}

static bool
verifies_hmac(const struct jwt_key *key, struct jwt_bytes text, struct jwt_bytes signature)
{
    unsigned char right[JWT_DIGEST_BYTES];

    return signature.len == JWT_DIGEST_BYTES && jwt_key_sign(key, text, right) &&
           CRYPTO_memcmp(right, signature.data, JWT_DIGEST_BYTES) == 0;
}

/* --- public keys --------------------------------------------------------------------------- */

/* The key of these numbers, checked by OpenSSL: a point is on its curve. */
static EVP_PKEY *
make_public(const char *type, OSSL_PARAM_BLD *numbers)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(numbers);
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, type, NULL), *checker = NULL;
    EVP_PKEY *pkey = NULL;

    if (params != NULL && maker != NULL && EVP_PKEY_fromdata_init(maker) == 1 &&
        EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_PUBLIC_KEY, params) == 1)
        checker = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (checker == NULL || EVP_PKEY_public_check(checker) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(checker);
    EVP_PKEY_CTX_free(maker);
    OSSL_PARAM_free(params);
    return pkey;
}

/* Ready to verify digests of SHA-256 with it; takes the key, which may be NULL. */
static EVP_PKEY_CTX *
make_verifier(EVP_PKEY *pkey, int padding)
{
    EVP_PKEY_CTX *ctx = pkey != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;

    EVP_PKEY_free(pkey);
    if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
        (padding == 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1) &&
        EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1)
        return ctx;
    EVP_PKEY_CTX_free(ctx);
    return NULL;
}

static const char *
fault_of_rsa(const BIGNUM *n, const BIGNUM *e)
{
    if (BN_num_bits(n) < RSA_BITS_MIN)
        return "the RSA key has less than 2048 bits";
    if (BN_num_bits(n) > RSA_BITS_MAX)
        return "the RSA key has more than 8192 bits";
    if (!BN_is_odd(n))
        return "n is even";
    if (!BN_is_odd(e) || BN_is_one(e))
        return "e must be odd and more than 1";
    if (BN_num_bits(e) > RSA_EXPONENT_BITS_MAX)
        return "e has more than 64 bits";
    return NULL;
}

static EVP_PKEY_CTX *
make_rsa(const BIGNUM *n, const BIGNUM *e)
{
    OSSL_PARAM_BLD *numbers = OSSL_PARAM_BLD_new();
    EVP_PKEY *pkey = NULL;

    if (numbers != NULL && OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(numbers, OSSL_PKEY_PARAM_RSA_E, e) == 1)
        pkey = make_public("RSA", numbers);
    OSSL_PARAM_BLD_free(numbers);
    return make_verifier(pkey, RSA_PKCS1_PADDING);
}

bool
jwt_key_of_rsa(struct jwt_bytes n, struct jwt_bytes e, struct jwt_key *ret, struct err *err)
{
    BIGNUM *bn_n = BN_bin2bn((const unsigned char *)n.data, (int)n.len, NULL);
    BIGNUM *bn_e = BN_bin2bn((const unsigned char *)e.data, (int)e.len, NULL);
    const char *why = bn_n != NULL && bn_e != NULL ? fault_of_rsa(bn_n, bn_e) : "no memory";
    EVP_PKEY_CTX *verifier = why == NULL ? make_rsa(bn_n, bn_e) : NULL;

    BN_free(bn_n);
    BN_free(bn_e);
    if (verifier == NULL)
        return refuse(err, why != NULL ? why : "n and e are no RSA key");
    *ret = (struct jwt_key){.alg = JWT_RS256, .public = verifier};
    return true;
}

bool
jwt_key_of_point(struct jwt_bytes x, struct jwt_bytes y, struct jwt_key *ret, struct err *err)
{
    unsigned char point[1 + 2 * POINT_BYTES] = {POINT_UNCOMPRESSED};
    OSSL_PARAM_BLD *numbers;
    EVP_PKEY_CTX *verifier = NULL;

    if (x.len != POINT_BYTES || y.len != POINT_BYTES)
        return err_set(err, ERR_CONFIG, "x and y must have 32 bytes");
    memcpy(point + 1, x.data, POINT_BYTES);
    memcpy(point + 1 + POINT_BYTES, y.data, POINT_BYTES);
    numbers = OSSL_PARAM_BLD_new();
    if (numbers != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(numbers, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) ==
            1 &&
        OSSL_PARAM_BLD_push_octet_string(numbers, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) ==
            1)
        verifier = make_verifier(make_public("EC", numbers), 0);
    OSSL_PARAM_BLD_free(numbers);
    if (verifier == NULL)
        return refuse(err, "x and y are no point of P-256");
    *ret = (struct jwt_key){.alg = JWT_ES256, .public = verifier};
    return true;
}

/* A positive INTEGER of DER; returns its length, which is at most 2 + 1 + 32. */
static size_t
put_integer(const char *bytes, unsigned char *ret)
{
    size_t skip = 0, sign;

    while (skip < POINT_BYTES - 1 && bytes[skip] == 0)
        skip++;
    sign = (unsigned char)bytes[skip] >> 7;
    ret[0] = 0x02;
    ret[1] = (unsigned char)(sign + POINT_BYTES - skip);
    ret[2] = 0;
    memcpy(ret + 2 + sign, bytes + skip, POINT_BYTES - skip);
    return 2 + ret[1];
}

static bool
verifies_public(const struct jwt_key *key, struct jwt_bytes text, struct jwt_bytes signature)
{
    unsigned char digest[JWT_DIGEST_BYTES], der[2 + 2 * (3 + POINT_BYTES)];
    const unsigned char *given = (const unsigned char *)signature.data;
    size_t len = signature.len;
    bool good;

    if (key->alg == JWT_ES256) {
        /* r and s side by side; OpenSSL wants them as two INTEGERs of a SEQUENCE. */
        if (len != (size_t)2 * POINT_BYTES)
            return false;
        len = put_integer(signature.data, der + 2);
        len += put_integer(signature.data + POINT_BYTES, der + 2 + len);
        der[0] = 0x30;
        der[1] = (unsigned char)len;
        len += 2;
        given = der;
    }
    good = jwt_digest(text, digest) &&
           EVP_PKEY_verify(key->public, given, len, digest, sizeof(digest)) == 1;
    if (!good)
        ERR_clear_error();
    return good;
}

bool
jwt_key_verifies(const struct jwt_key *key, struct jwt_bytes text, struct jwt_bytes signature)
{
    return key->alg == JWT_HS256 ? verifies_hmac(key, text, signature)
                                 : verifies_public(key, text, signature);
}
