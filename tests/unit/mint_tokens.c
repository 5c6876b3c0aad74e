/*
 * mint_tokens FILE SUB: write a JWK set to FILE, then print a line a token: the status it
 * must get from the gateway, what it is, and itself, with tabs in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "jwt_mint.h"

static const char *sub;

/* Claims of a signed-in user: what is given comes last. */
static const char *
claims(const char *more)
{
    static char text[1024];
    long long now = (long long)time(NULL);

    snprintf(text, sizeof(text), "{\"sub\":\"%s\",\"role\":\"authenticated\",\"exp\":%lld%s}", sub,
             now + 3600, more);
    return text;
}

static void
row(int status, const char *what, const char *token)
{
    printf("%d\t%s\t%s\n", status, what, token);
    mint_forget();
}

static void
signatures(void)
{
    static const struct {
        enum mint_with with;
        const char *header; /* NULL: the honest one */
        const char *what;
    } rows[] = {
        /* clang-format off */
        {MINT_NOTHING,         "{\"alg\":\"none\"}",  "none"},
        {MINT_NOTHING,         "{\"alg\":\"None\"}",  "None"},
        {MINT_NOTHING,         "{\"alg\":\"\"}",      "an empty algorithm"},
        {MINT_NOTHING,         "{\"alg\":\"HS256\"}", "HS256 without a signature"},
        {MINT_NOTHING,         "{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}", "RS256 without a signature"},
        {MINT_NOTHING,         "{}", "no algorithm"},
        {MINT_SECRET_HS256,    "{\"alg\":\"none\"}",  "none, but signed"},
        {MINT_SECRET_HS256,    "{\"alg\":\"RS256\",\"kid\":\"rsa-1\"}", "HS256 that says RS256"},
        {MINT_RSA_RS256,       "{\"alg\":\"RS256\",\"kid\":\"nobody\"}", "a kid that is not known"},
        {MINT_SECRET_HS256,    "{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}", "crit"},
        {MINT_SECRET_HS256,    "{\"alg\":\"HS256\",\"alg\":\"HS256\"}", "a key twice in the header"},
        {MINT_SECRET_HS384,    NULL, "HS384"},
        {MINT_SECRET_HS512,    NULL, "HS512"},
        {MINT_RSA_RS512,       NULL, "RS512"},
        {MINT_RSA_PS256,       NULL, "PS256"},
        {MINT_EC_DER,          NULL, "ES256 as DER"},
        {MINT_EC384_ES384,     NULL, "ES384"},
        {MINT_ED25519,         NULL, "EdDSA"},
        {MINT_OTHER_HS256,     NULL, "another secret"},
        {MINT_OTHER_RS256,     NULL, "another RSA key"},
        {MINT_OTHER_ES256,     NULL, "another EC key"},
        {MINT_HMAC_EMPTY,      NULL, "HS256 with an empty secret"},
        {MINT_HMAC_RSA_PEM,    NULL, "HS256 with the public RSA key, PEM"},
        {MINT_HMAC_RSA_DER,    NULL, "DER"},
        {MINT_HMAC_RSA_N,      NULL, "its modulus"},
        {MINT_HMAC_RSA_N_BYTES, NULL, "the bytes of that"},
        {MINT_HMAC_EC_PEM,     NULL, "HS256 with the public EC key, PEM"},
        {MINT_HMAC_EC_DER,     NULL, "DER"},
        {MINT_HMAC_EC_X,       NULL, "its x"},
        {MINT_HMAC_EC_POINT,   NULL, "its point"},
        {MINT_HMAC_KID,        NULL, "the name of the key"},
        /* clang-format on */
    };

    for (size_t i = 0; i < LENGTH(rows); i++)
        row(401, rows[i].what, mint(rows[i].with, rows[i].header, claims("")));
}

static void
contents(void)
{
    static const struct {
        int status;
        const char *more, *what;
    } rows[] = {
        /* clang-format off */
        {401, ",\"exp\":1700000000", "exp twice"},
        {401, ",\"nbf\":4000000000", "not yet"},
        {401, ",\"iat\":4000000000", "from the future"},
        {401, ",\"exp2\":1}garbage", "no JSON"},
        {401, ",\"sub\":\"22222222-2222-4222-8222-222222222222\"", "sub twice"},
        {401, ",\"role\":\"service_role\"", "role twice"},
        {401, ",\"nbf\":\"soon\"", "nbf that is a text"},
        {200, ",\"nbf\":1700000000,\"iat\":1700000000", "good times"},
        {200, ",\"aud\":[\"authenticated\"],\"app_metadata\":{\"provider\":\"email\"}", "more claims"},
        /* clang-format on */
    };

    for (size_t i = 0; i < LENGTH(rows); i++)
        row(rows[i].status, rows[i].what, mint(MINT_RSA_RS256, NULL, claims(rows[i].more)));
}

/* A good token with one thing wrong. */
static void
damaged(void)
{
    AUTO(mem) char *good = xstrdup(mint(MINT_EC_ES256, NULL, claims("")));
    AUTO(mem) char *text = xstrdup(good);
    size_t len = strlen(text);

    text[len / 2] = text[len / 2] == 'A' ? 'B' : 'A';
    row(401, "a letter changed", text);
    strcpy(text, good);
    text[len - 1] = '\0';
    row(401, "cut", text);
    text = xrealloc(text, len + 16);
    snprintf(text, len + 16, "%s=", good);
    row(401, "with padding", text);
    snprintf(text, len + 16, "%s.x", good);
    row(401, "with a fourth part", text);
    snprintf(text, len + 16, ".%s", good);
    row(401, "with an empty part", text);
    snprintf(text, len + 16, "%s", strchr(good, '.') + 1);
    row(401, "without its header", text);
    row(401, "dots", "..");
}

int
main(int argc, char **argv)
{
    AUTO(file) FILE *f = argc == 3 ? fopen(argv[1], "w") : NULL;

    if (f == NULL) {
        fputs("usage: mint_tokens FILE SUB\n", stderr);
        return 1;
    }
    sub = argv[2];
    mint_open();
    fputs(mint_jwks(), f);
    row(200, "HS256", mint(MINT_SECRET_HS256, NULL, claims("")));
    row(200, "HS256 of the file", mint(MINT_OCT_HS256, NULL, claims("")));
    row(200, "RS256", mint(MINT_RSA_RS256, NULL, claims("")));
    row(200, "ES256", mint(MINT_EC_ES256, NULL, claims("")));
    signatures();
    contents();
    damaged();
    mint_close();
    return 0;
}
