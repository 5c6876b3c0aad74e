/*
 * Tokens: raw ones ("t"), header and payload that are signed here ("s", header up to the
 * line end), and base64url ("b").
 */
#include "fuzz.h"

#include <openssl/hmac.h>

#include "jwt/internal.h"

#define SECRET "super-secret-jwt-token-with-at-least-32-characters-long"
#define NOW_S 1800000000

static const struct jwt_keys *
keys_of_all_kinds(void)
{
    static const char jwks[] =
        "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec-1\","
        "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
        "{\"kty\":\"oct\",\"kid\":\"oct-1\",\"k\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"}]}";
    static struct jwt_keys *keys;
    struct jwt_key_source from = {.secret = SECRET};
    struct err err;

    if (keys == NULL) {
        file_of(jwks, sizeof(jwks) - 1, &from.jwks_file);
        must(jwt_keys_new(&from, &keys, &err));
    }
    return keys;
}

/* What is said of a good one: by another reader of JSON than the one that judged. */
static void
must_be_good(const struct jwt_claims *claims)
{
    json_t *json = json_loads(claims->json, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    const json_t *exp = json_object_get(json, "exp"), *sub = json_object_get(json, "sub");

    must(json_is_object(json) && json_is_real(exp));
    must(json_real_value(exp) > NOW_S - 30 && claims->exp_s >= NOW_S - 30);
    must(json_is_string(sub) == (claims->sub != NULL));
    must(claims->sub == NULL || strcmp(claims->sub, json_string_value(sub)) == 0);
    must(claims->role == NULL || is_utf8(claims->role, strlen(claims->role)));
    json_decref(json);
}

static enum jwt_verdict
verify(const char *token, size_t len)
{
    static const struct jwt_policy policy = {.skew_s = 30};
    struct jwt_claims claims = {.json = NULL};
    enum jwt_verdict verdict;
    struct arena arena;

    arena_init(&arena);
    verdict = jwt_verify(keys_of_all_kinds(), &policy, token, len, NOW_S, &arena, &claims);
    must((unsigned)verdict < JWT_VERDICTS);
    must((verdict == JWT_GOOD) == (claims.json != NULL));
    if (verdict == JWT_GOOD)
        must_be_good(&claims);
    if (verdict != JWT_MALFORMED && verdict != JWT_NO_KEY && verdict != JWT_BAD_SIGNATURE)
        must(jwt_payload(token, len, &arena) != NULL);
    arena_release(&arena);
    return verdict;
}

static void
verify_signed(const char *data, size_t len)
{
    const char *line = len > 0 ? memchr(data, '\n', len) : NULL, *text, *token;
    unsigned char mac[32];
    struct arena arena;
    size_t header;

    if (line == NULL || line == data || line + 1 == data + len)
        return;
    header = (size_t)(line - data);
    arena_init(&arena);
    text = arena_printf(&arena, "%s.%s", jwt_base64_encode(data, header, &arena),
                        jwt_base64_encode(line + 1, len - header - 1, &arena));
    must(HMAC(EVP_sha256(), SECRET, sizeof(SECRET) - 1, (const unsigned char *)text, strlen(text),
              mac, NULL) != NULL);
    token = arena_printf(&arena, "%s.%s", text, jwt_base64_encode(mac, sizeof(mac), &arena));
    verify(token, strlen(token));
    arena_release(&arena);
}

/* There is one text for some bytes, and there are some bytes for a text or none. */
static void
both_ways(const char *data, size_t len)
{
    struct arena arena;
    const char *bytes, *text;
    size_t n;

    arena_init(&arena);
    if (jwt_base64_decode(data, len, &arena, &bytes, &n)) {
        text = jwt_base64_encode(bytes, n, &arena);
        must(strlen(text) == len && memcmp(text, data, len) == 0);
    }
    text = jwt_base64_encode(data, len, &arena);
    must(jwt_base64_decode(text, strlen(text), &arena, &bytes, &n));
    must(n == len && memcmp(bytes, data, len) == 0);
    arena_release(&arena);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};

    switch (take_byte(&in)) {
    case 't':
        verify(in.at, in.left);
        break;
    case 's':
        verify_signed(in.at, in.left);
        break;
    case 'b':
        both_ways(in.at, in.left);
        break;
    default:
        break;
    }
}
