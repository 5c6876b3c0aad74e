/*
 * What a token costs to be verified: a line for each algorithm, in microseconds of the
 * processor.
 *
 *     jwt_verify [SECONDS]      how long each is tried
 *
 * new: seen for the first time; known: again and again the same, as browsers send it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../unit/jwt_mint.h"
#include "jwt/internal.h"

#define NOW_S 1800000000
#define TOKENS 64

/* What Supabase puts into the token of a user. */
#define CLAIMS                                                                                     \
    "{\"iss\":\"https://abcdefghijklmnopqrst.supabase.co/auth/v1\","                               \
    "\"sub\":\"7f1f40ee-1c7a-4f1a-9d1c-0a3f1d3c5b11\",\"aud\":\"authenticated\","                  \
    "\"exp\":1800003600,\"iat\":1800000000,\"email\":\"somebody@example.com\",\"phone\":\"\","     \
    "\"app_metadata\":{\"provider\":\"email\",\"providers\":[\"email\"]},"                         \
    "\"user_metadata\":{\"email\":\"somebody@example.com\",\"email_verified\":true,"               \
    "\"phone_verified\":false,\"sub\":\"7f1f40ee-1c7a-4f1a-9d1c-0a3f1d3c5b11\"},"                  \
    "\"role\":\"authenticated\",\"aal\":\"aal1\",\"amr\":[{\"method\":\"password\","               \
    "\"timestamp\":1800000000}],\"session_id\":\"%08d-1c7a-4f1a-9d1c-0a3f1d3c5b11\","              \
    "\"is_anonymous\":false}"

static struct jwt_keys *
open_keys(void)
{
    char path[] = "/tmp/jwt_verify.XXXXXX";
    struct jwt_key_source from = {MINT_SECRET, path};
    FILE *f = fdopen(mkstemp(path), "w");
    struct jwt_keys *keys = NULL;
    struct err err = {.text = ""};

    if (f == NULL || fputs(mint_jwks(), f) < 0 || fclose(f) != 0 ||
        !jwt_keys_new(&from, &keys, &err)) {
        fprintf(stderr, "no keys: %s\n", err.text);
        exit(1);
    }
    remove(path);
    return keys;
}

static void
verify(struct jwt_keys *keys, const char *token)
{
    static const struct jwt_policy policy = {"authenticated", NULL, 30};
    struct jwt_claims claims;
    struct arena arena;

    arena_init(&arena);
    if (jwt_verify(keys, &policy, token, strlen(token), NOW_S, &arena, &claims) != JWT_GOOD)
        abort();
    arena_release(&arena);
}

static double
cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
measure(struct jwt_keys *keys, const char *const tokens[], bool forget, double seconds)
{
    double start = cpu_s(), now = start;
    int64_t count = 0;

    for (; now < start + seconds; now = cpu_s()) {
        if (forget)
            jwt_cache_clear(jwt_keys_cache(keys));
        for (int i = 0; i < TOKENS; i++)
            verify(keys, tokens[i]);
        count += TOKENS;
    }
    return (now - start) * 1e6 / (double)count;
}

static void
report(enum mint_with with, struct jwt_keys *keys, double seconds)
{
    const char *tokens[TOKENS];
    char payload[2048];

    for (int i = 0; i < TOKENS; i++) {
        snprintf(payload, sizeof(payload), CLAIMS, i);
        tokens[i] = mint(with, NULL, payload);
    }
    printf("%s new %.2f\n", mint_alg(with), measure(keys, tokens, true, seconds));
    printf("%s known %.2f\n", mint_alg(with), measure(keys, tokens, false, seconds));
}

int
main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    struct jwt_keys *keys;

    mint_open();
    keys = open_keys();
    report(MINT_SECRET_HS256, keys, seconds);
    report(MINT_RSA_RS256, keys, seconds);
    report(MINT_EC_ES256, keys, seconds);
    jwt_keys_free(keys);
    mint_close();
    return 0;
}
