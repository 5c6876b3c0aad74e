#include "jwt_mint.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define OCT_SECRET "another secret, of the JWKS file: 0123456789"
#define OTHER_SECRET "a secret that nobody told the verifier, 0123456789"

static struct {
    EVP_PKEY *rsa, *ec, *ec384, *ed25519, *other_rsa, *other_ec;
    struct arena arena;
} m;

static void
check(int done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "jwt_mint: %s failed\n", what);
    exit(1);
}

void
mint_open(void)
{
    arena_init(&m.arena);
    m.rsa = EVP_RSA_gen(2048);
    m.other_rsa = EVP_RSA_gen(2048);
    m.ec = EVP_EC_gen("P-256");
    m.other_ec = EVP_EC_gen("P-256");
    m.ec384 = EVP_EC_gen("P-384");
    m.ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    check(m.rsa && m.other_rsa && m.ec && m.other_ec && m.ec384 && m.ed25519, "a key");
}

void
mint_close(void)
{
    EVP_PKEY *keys[] = {m.rsa, m.other_rsa, m.ec, m.other_ec, m.ec384, m.ed25519};

    for (size_t i = 0; i < LENGTH(keys); i++)
        EVP_PKEY_free(keys[i]);
    arena_release(&m.arena);
}

void
mint_forget(void)
{
    arena_release(&m.arena);
}

const char *
mint_base64(const void *data, size_t len)
{
    unsigned char *text = arena_alloc(&m.arena, len / 3 * 4 + 8);
    int n = EVP_EncodeBlock(text, data, (int)len);

    while (n > 0 && text[n - 1] == '=')
        text[--n] = '\0';
    for (int i = 0; i < n; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    return (const char *)text;
}

/* --- what is public of a key ------------------------------------------------------------- */

struct bytes {
    const void *data;
    size_t len;
};

static struct bytes
copied(const void *data, size_t len)
{
    return (struct bytes){arena_memdup(&m.arena, data, len), len};
}

static struct bytes
number_of(const EVP_PKEY *key, const char *name, int width)
{
    unsigned char bytes[1024];
    BIGNUM *n = NULL;
    int len;

    check(EVP_PKEY_get_bn_param(key, name, &n) == 1, name);
    len = width > 0 ? width : BN_num_bytes(n);
    check(BN_bn2binpad(n, bytes, len) == len, name);
    BN_free(n);
    return copied(bytes, (size_t)len);
}

static struct bytes
pem_of(const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct bytes pem;
    char *data;
    long len;

    check(PEM_write_bio_PUBKEY(bio, key) == 1, "PEM");
    len = BIO_get_mem_data(bio, &data);
    pem = copied(data, (size_t)len);
    BIO_free(bio);
    return pem;
}

static struct bytes
der_of(const EVP_PKEY *key)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    struct bytes bytes = copied(der, (size_t)len);

    OPENSSL_free(der);
    return bytes;
}

static struct bytes
point_of(const EVP_PKEY *key)
{
    unsigned char point[65] = {4};
    struct bytes x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
    struct bytes y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);

    memcpy(point + 1, x.data, 32);
    memcpy(point + 33, y.data, 32);
    return copied(point, sizeof(point));
}

static const char *
text_of(const EVP_PKEY *key, const char *name, int width)
{
    struct bytes bytes = number_of(key, name, width);

    return mint_base64(bytes.data, bytes.len);
}

static struct bytes
as_bytes(const char *text)
{
    return (struct bytes){text, strlen(text)};
}

const char *
mint_jwk(enum mint_with with)
{
    switch (with) {
    case MINT_OCT_HS256:
        return arena_printf(&m.arena,
                            "{\"kty\":\"oct\",\"kid\":\"oct-1\",\"alg\":\"HS256\",\"k\":\"%s\"}",
                            mint_base64(OCT_SECRET, strlen(OCT_SECRET)));
    case MINT_RSA_RS256:
        return arena_printf(
            &m.arena,
            "{\"kty\":\"RSA\",\"kid\":\"rsa-1\",\"use\":\"sig\",\"n\":\"%s\",\"e\":\"%s\"}",
            text_of(m.rsa, OSSL_PKEY_PARAM_RSA_N, 0), text_of(m.rsa, OSSL_PKEY_PARAM_RSA_E, 0));
    case MINT_EC_ES256:
        return arena_printf(&m.arena,
                            "{\"alg\":\"ES256\",\"crv\":\"P-256\",\"ext\":true,\"key_ops\":"
                            "[\"verify\"],\"kid\":\"ec-1\",\"kty\":\"EC\",\"use\":\"sig\","
                            "\"x\":\"%s\",\"y\":\"%s\"}",
                            text_of(m.ec, OSSL_PKEY_PARAM_EC_PUB_X, 32),
                            text_of(m.ec, OSSL_PKEY_PARAM_EC_PUB_Y, 32));
    default:
        check(0, "a JWK of that");
        return "";
    }
}

const char *
mint_jwks(void)
{
    return arena_printf(&m.arena, "{\"keys\":[%s,%s,%s]}", mint_jwk(MINT_EC_ES256),
                        mint_jwk(MINT_RSA_RS256), mint_jwk(MINT_OCT_HS256));
}

/* --- signing ----------------------------------------------------------------------------- */

static struct bytes
hmac(const EVP_MD *md, struct bytes key, struct bytes text)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    check(HMAC(md, key.data, (int)key.len, text.data, text.len, mac, &len) != NULL, "HMAC");
    return copied(mac, len);
}

static struct bytes
sign(EVP_PKEY *key, const EVP_MD *md, int padding, struct bytes text)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char signature[1024];
    size_t len = sizeof(signature);
    EVP_PKEY_CTX *params;

    check(EVP_DigestSignInit(ctx, &params, md, NULL, key) == 1, "signing");
    check(padding == 0 || EVP_PKEY_CTX_set_rsa_padding(params, padding) == 1, "padding");
    check(padding != RSA_PKCS1_PSS_PADDING || EVP_PKEY_CTX_set_rsa_pss_saltlen(params, -1) == 1,
          "salt");
    check(EVP_DigestSign(ctx, signature, &len, text.data, text.len) == 1, "signing");
    EVP_MD_CTX_free(ctx);
    return copied(signature, len);
}

/* r and s side by side, each of this width. */
static struct bytes
raw_of(struct bytes der, int width)
{
    const unsigned char *p = der.data;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &p, (long)der.len);
    unsigned char raw[132];

    check(signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, width) == width &&
              BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + width, width) == width,
          "r and s");
    ECDSA_SIG_free(signature);
    return copied(raw, (size_t)width * 2);
}

static struct bytes
public_of(enum mint_with with)
{
    switch (with) {
    case MINT_HMAC_RSA_PEM:
        return pem_of(m.rsa);
    case MINT_HMAC_RSA_DER:
        return der_of(m.rsa);
    case MINT_HMAC_RSA_N:
        return as_bytes(text_of(m.rsa, OSSL_PKEY_PARAM_RSA_N, 0));
    case MINT_HMAC_RSA_N_BYTES:
        return number_of(m.rsa, OSSL_PKEY_PARAM_RSA_N, 0);
    case MINT_HMAC_EC_PEM:
        return pem_of(m.ec);
    case MINT_HMAC_EC_DER:
        return der_of(m.ec);
    case MINT_HMAC_EC_X:
        return as_bytes(text_of(m.ec, OSSL_PKEY_PARAM_EC_PUB_X, 32));
    case MINT_HMAC_EC_POINT:
        return point_of(m.ec);
    case MINT_HMAC_KID:
        return as_bytes("ec-1");
    default:
        return as_bytes("");
    }
}

static struct bytes
signature_of(enum mint_with with, struct bytes text)
{
    switch (with) {
    case MINT_SECRET_HS256:
        return hmac(EVP_sha256(), as_bytes(MINT_SECRET), text);
    case MINT_SECRET_HS384:
        return hmac(EVP_sha384(), as_bytes(MINT_SECRET), text);
    case MINT_SECRET_HS512:
        return hmac(EVP_sha512(), as_bytes(MINT_SECRET), text);
    case MINT_OCT_HS256:
        return hmac(EVP_sha256(), as_bytes(OCT_SECRET), text);
    case MINT_OTHER_HS256:
        return hmac(EVP_sha256(), as_bytes(OTHER_SECRET), text);
    case MINT_RSA_RS256:
        return sign(m.rsa, EVP_sha256(), RSA_PKCS1_PADDING, text);
    case MINT_RSA_RS512:
        return sign(m.rsa, EVP_sha512(), RSA_PKCS1_PADDING, text);
    case MINT_RSA_PS256:
        return sign(m.rsa, EVP_sha256(), RSA_PKCS1_PSS_PADDING, text);
    case MINT_OTHER_RS256:
        return sign(m.other_rsa, EVP_sha256(), RSA_PKCS1_PADDING, text);
    case MINT_EC_ES256:
        return raw_of(sign(m.ec, EVP_sha256(), 0, text), 32);
    case MINT_EC_DER:
        return sign(m.ec, EVP_sha256(), 0, text);
    case MINT_OTHER_ES256:
        return raw_of(sign(m.other_ec, EVP_sha256(), 0, text), 32);
    case MINT_EC384_ES384:
        return raw_of(sign(m.ec384, EVP_sha384(), 0, text), 48);
    case MINT_ED25519:
        return sign(m.ed25519, NULL, 0, text);
    case MINT_NOTHING:
        return as_bytes("");
    default:
        return hmac(EVP_sha256(), public_of(with), text);
    }
}

/* --- tokens ------------------------------------------------------------------------------ */

const char *
mint_alg(enum mint_with with)
{
    static const char *const algs[MINT_KINDS] = {
        [MINT_NOTHING] = "none",      [MINT_RSA_RS256] = "RS256",    [MINT_OTHER_RS256] = "RS256",
        [MINT_RSA_RS512] = "RS512",   [MINT_RSA_PS256] = "PS256",    [MINT_EC_ES256] = "ES256",
        [MINT_OTHER_ES256] = "ES256", [MINT_EC_DER] = "ES256",       [MINT_EC384_ES384] = "ES384",
        [MINT_ED25519] = "EdDSA",     [MINT_SECRET_HS384] = "HS384", [MINT_SECRET_HS512] = "HS512",
    };

    return algs[with] != NULL ? algs[with] : "HS256";
}

const char *
mint_kid(enum mint_with with)
{
    static const char *const kids[MINT_KINDS] = {
        [MINT_OCT_HS256] = "oct-1",    [MINT_RSA_RS256] = "rsa-1", [MINT_OTHER_RS256] = "rsa-1",
        [MINT_RSA_RS512] = "rsa-1",    [MINT_RSA_PS256] = "rsa-1", [MINT_EC_ES256] = "ec-1",
        [MINT_OTHER_ES256] = "ec-1",   [MINT_EC_DER] = "ec-1",     [MINT_EC384_ES384] = "ec-1",
        [MINT_HMAC_RSA_PEM] = "rsa-1",
    };

    return kids[with];
}

const char *
mint_bytes(enum mint_with with, const void *header, size_t header_len, const void *payload,
           size_t payload_len)
{
    const char *text = arena_printf(&m.arena, "%s.%s", mint_base64(header, header_len),
                                    mint_base64(payload, payload_len));
    struct bytes signature = signature_of(with, as_bytes(text));

    return arena_printf(&m.arena, "%s.%s", text, mint_base64(signature.data, signature.len));
}

const char *
mint(enum mint_with with, const char *header, const char *payload)
{
    const char *kid = mint_kid(with);

    if (header == NULL && kid != NULL)
        header = arena_printf(&m.arena, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                              mint_alg(with), kid);
    else if (header == NULL)
        header = arena_printf(&m.arena, "{\"alg\":\"%s\",\"typ\":\"JWT\"}", mint_alg(with));
    return mint_bytes(with, header, strlen(header), payload, strlen(payload));
}
