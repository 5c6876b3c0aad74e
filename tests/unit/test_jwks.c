/* What is a JWK set, and what is a key. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#include "base/buf.h"
#include "jwt/internal.h"
#include "tap.h"

#define J(...) #__VA_ARGS__
#define X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define K32 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

/* clang-format off */
static const struct {
    const char *name, *text;
    int n;           /* keys in it; -1: it is refused */
    const char *why; /* part of the message */
} sets[] = {
    {"an empty set", J({"keys":[]}), 0, ""},
    {"other members", J({"keys":[],"x":1}), 0, ""},
    {"not JSON", "keys", -1, "not a JSON object with an array"},
    {"empty", "", -1, "not a JSON object with an array"},
    {"a page of HTML", "<!doctype html>", -1, "not a JSON object with an array"},
    {"an array", J([]), -1, "not a JSON object with an array"},
    {"no keys", J({}), -1, "not a JSON object with an array"},
    {"keys no array", J({"keys":{}}), -1, "not a JSON object with an array"},
    {"keys twice", J({"keys":[],"keys":[]}), -1, "not a JSON object with an array"},
    {"a single JWK", "{\"kty\":\"oct\",\"k\":\"" K32 "\"}", -1, "not a JSON object with an array"},
    {"cut off", "{\"keys\":[", -1, "not a JSON object with an array"},
    {"a key no object", J({"keys":[1]}), -1, "key 1: it is not an object"},
    {"a key without kty", J({"keys":[{"kid":"a"}]}), -1, "key 1: kty is missing"},
    {"kty no text", J({"keys":[{"kty":1}]}), -1, "key 1: kty is not a text"},
    {"kid no text", J({"keys":[{"kty":"oct","kid":1}]}), -1, "key 1: kid is not a text"},
    {"use no text", J({"keys":[{"kty":"oct","use":["sig"]}]}), -1, "use is not a text"},
    {"alg no text", J({"keys":[{"kty":"oct","alg":null}]}), -1, "alg is not a text"},
    {"a member twice", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" K32 "\",\"k\":\"" K32 "\"}]}", -1, "not a JSON object"},

    {"a key of P-256", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}]}", 1, ""},
    {"a point that is not on the curve", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" Y "\",\"y\":\"" X "\"}]}", -1, "no point of P-256"},
    {"the point at 0, 0", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}", -1, "no point of P-256"},
    {"x beyond the field", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"_____wAAAAEAAAAAAAAAAAAAAAD_______________8\",\"y\":\"" Y "\"}]}", -1, "no point of P-256"},
    {"x of 31 bytes", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA\",\"y\":\"" Y "\"}]}", -1, "must have 32 bytes"},
    {"y missing", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}]}", -1, "y is missing"},
    {"x with padding", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "=\",\"y\":\"" Y "\"}]}", -1, "x is not base64url"},
    {"x with a stray bit", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV\",\"y\":\"" Y "\"}]}", -1, "x is not base64url"},
    {"a private key", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\",\"d\":\"" X "\"}]}", -1, "it is a private key"},
    {"alg of another kind", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"RS256\",\"x\":\"" X "\",\"y\":\"" Y "\"}]}", -1, "alg does not fit"},
    {"a public key for HS256", "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"HS256\",\"x\":\"" X "\",\"y\":\"" Y "\"}]}", -1, "alg does not fit"},
    {"a secret for ES256", "{\"keys\":[{\"kty\":\"oct\",\"alg\":\"ES256\",\"k\":\"" K32 "\"}]}", -1, "alg does not fit"},
    {"ES256 on another curve", J({"keys":[{"kty":"EC","crv":"P-384","alg":"ES256"}]}), -1, "alg does not fit"},

    {"a secret of 32 bytes", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" K32 "\"}]}", 1, ""},
    {"a secret of 31 bytes", J({"keys":[{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg"}]}), -1, "31 bytes and must have 32"},
    {"an empty secret", J({"keys":[{"kty":"oct","k":""}]}), -1, "0 bytes and must have 32"},
    {"k missing", J({"keys":[{"kty":"oct"}]}), -1, "k is missing"},

    {"another curve", J({"keys":[{"kty":"EC","crv":"P-384","x":"","y":""}]}), 0, ""},
    {"no curve", J({"keys":[{"kty":"EC"}]}), 0, ""},
    {"Ed25519", J({"keys":[{"kty":"OKP","crv":"Ed25519","x":""}]}), 0, ""},
    {"a kind nobody knows", J({"keys":[{"kty":"PQC"}]}), 0, ""},
    {"kty in another case", J({"keys":[{"kty":"OCT"}]}), 0, ""},
    {"to encrypt", J({"keys":[{"kty":"RSA","use":"enc","n":"","e":""}]}), 0, ""},
    {"an algorithm that is not ours", J({"keys":[{"kty":"RSA","alg":"PS256"}]}), 0, ""},
    {"to sign only", "{\"keys\":[{\"kty\":\"oct\",\"key_ops\":[\"sign\"],\"k\":\"" K32 "\"}]}", 0, ""},
    {"to verify, too", "{\"keys\":[{\"kty\":\"oct\",\"key_ops\":[\"sign\",\"verify\"],\"k\":\"" K32 "\"}]}", 1, ""},
    {"to do nothing", "{\"keys\":[{\"kty\":\"oct\",\"key_ops\":[],\"k\":\"" K32 "\"}]}", 0, ""},
    {"key_ops no array", "{\"keys\":[{\"kty\":\"oct\",\"key_ops\":\"verify\",\"k\":\"" K32 "\"}]}", 0, ""},
    {"two keys without kid", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" K32 "\"},{\"kty\":\"oct\",\"k\":\"" K32 "\"}]}", 2, ""},
    {"two keys with one kid", "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"a\",\"k\":\"" K32 "\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":\"" X "\",\"y\":\"" Y "\"}]}", -1, "key 2: another key has the same kid"},
    {"the second is wrong", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"" K32 "\"},{\"kty\":\"oct\",\"k\":\"AA\"}]}", -1, "key 2: it has 1 bytes"},
    {"a short RSA key", J({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}), -1, "less than 2048 bits"},
};
/* clang-format on */

static void
parsed(const char *name, const char *text, int n, const char *why)
{
    struct jwt_key_list list = {.n = 0};
    struct err err = {.text = ""};
    bool done = jwt_jwks_parse(text, strlen(text), &list, &err);

    is_int(done ? (int)list.n : -1, n, "%s", name);
    has_str(err.text, why, "  and it is said why: %s", err.text);
    ok(done || err.class == ERR_CONFIG, "  as an error of the configuration");
    jwt_key_list_release(&list);
}

static void
all_sets(void)
{
    struct buf many = {.data = NULL};

    for (size_t i = 0; i < LENGTH(sets); i++)
        parsed(sets[i].name, sets[i].text, sets[i].n, sets[i].why);
    for (int n = 100; n <= 101; n++) {
        buf_clear(&many);
        buf_add_text(&many, "{\"keys\":[");
        for (int i = 0; i < n; i++)
            buf_printf(&many, "%s{\"kty\":\"oct\",\"kid\":\"%d\",\"k\":\"%s\"}", i > 0 ? "," : "",
                       i, K32);
        buf_add_text(&many, "]}");
        parsed(n == 100 ? "100 keys" : "101 keys", buf_text(&many), n == 100 ? 100 : -1,
               n == 100 ? "" : "more than 100 keys");
    }
    buf_release(&many);
}

/* A number with only these bits set, in so many bytes. */
static struct jwt_bytes
number(char *bytes, size_t len, int first, int last)
{
    memset(bytes, 0, len);
    bytes[0] = (char)first;
    bytes[len - 1] |= (char)last;
    return (struct jwt_bytes){bytes, len};
}

static void
rsa(const char *name, struct jwt_bytes n, struct jwt_bytes e, const char *why)
{
    struct jwt_key key = {.kid = NULL};
    struct err err = {.text = ""};
    bool done = jwt_key_of_rsa(n, e, &key, &err);

    is_int(done, why == NULL, "RSA: %s", name);
    if (why != NULL)
        has_str(err.text, why, "  and it is said why");
    jwt_key_release(&key);
}

/* OpenSSL looks for small factors: a modulus must be a real one, or a product of them. */
static struct jwt_bytes
modulus(char *bytes, int times, int shift)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BIGNUM *n = NULL, *product = BN_new();
    BN_CTX *ctx = BN_CTX_new();
    int len;

    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n);
    BN_one(product);
    for (int i = 0; i < times; i++)
        BN_mul(product, product, n, ctx);
    BN_lshift(product, product, shift);
    len = BN_bn2bin(product, (unsigned char *)bytes);
    BN_CTX_free(ctx);
    BN_free(product);
    BN_free(n);
    EVP_PKEY_free(key);
    return (struct jwt_bytes){bytes, (size_t)len};
}

static void
rsa_numbers(void)
{
    char n[1200], e[9], bad[256];
    struct jwt_bytes usual = {"\1\0\1", 3}, fine;

    rsa("8192 bits", modulus(n, 4, 0), usual, NULL);
    rsa("more bits", modulus(n, 4, 8), usual, "more than 8192");
    rsa("n even", modulus(n, 1, 1), usual, "n is even");
    fine = modulus(n, 1, 0);
    rsa("2048 bits", fine, usual, NULL);
    rsa("2040 bits", (struct jwt_bytes){n, 255}, usual, "less than 2048");
    rsa("n nothing", (struct jwt_bytes){"", 0}, usual, "less than 2048");
    rsa("n with zeros in front", number(bad, 256, 0x7f, 1), usual, "less than 2048");
    rsa("n a multiple of 3", (struct jwt_bytes){memset(bad, 0xff, 256), 256}, usual, "no RSA key");
    rsa("e 3", fine, (struct jwt_bytes){"\3", 1}, NULL);
    rsa("e 1", fine, (struct jwt_bytes){"\1", 1}, "odd and more than 1");
    rsa("e 0", fine, (struct jwt_bytes){"", 1}, "odd and more than 1");
    rsa("e nothing", fine, (struct jwt_bytes){"", 0}, "odd and more than 1");
    rsa("e even", fine, (struct jwt_bytes){"\1\0", 2}, "odd and more than 1");
    rsa("e of 64 bits", fine, number(e, 8, 0x80, 1), NULL);
    rsa("e of 65 bits", fine, number(e, 9, 1, 1), "more than 64 bits");
}

int
main(void)
{
    all_sets();
    rsa_numbers();
    return done_testing();
}
