/* Keys: where they come from, a file of them that changes; making tokens; secrets compared. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/secret.h"
#include "jwt/internal.h"
#include "jwt_mint.h"
#include "tap.h"

#define NOW_S 1800000000
#define FINE "{\"exp\":1800003600}"

static char folder[] = "/tmp/test_jwt_keys.XXXXXX";
static char path[sizeof(folder) + 16];

static enum jwt_verdict
verify_at(const struct jwt_keys *keys, const char *token, int64_t now_s)
{
    struct jwt_policy policy = {.skew_s = 30};
    struct jwt_claims claims;
    enum jwt_verdict verdict;
    struct arena arena;

    arena_init(&arena);
    verdict = jwt_verify(keys, &policy, token, strlen(token), now_s, &arena, &claims);
    arena_release(&arena);
    return verdict;
}

static enum jwt_verdict
verify(const struct jwt_keys *keys, const char *token)
{
    return verify_at(keys, token, NOW_S);
}

/* --- where they come from ---------------------------------------------------------------- */

static void
put_file(const char *text)
{
    char other[sizeof(path) + 4];
    FILE *f;

    snprintf(other, sizeof(other), "%s.new", path);
    f = fopen(other, "we");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 || rename(other, path) != 0)
        exit(1);
}

static void
refused(const char *secret, const char *file, const char *why)
{
    struct jwt_key_source from = {secret, file};
    struct jwt_keys *keys = NULL;
    struct err err = {.text = ""};

    ok(!jwt_keys_new(&from, &keys, &err) && keys == NULL, "no keys: %s", why);
    has_str(err.text, why, "  says so");
    is_int(err.class, ERR_CONFIG, "  for a person");
    ok(secret == NULL || secret[0] == '\0' || strstr(err.text, secret) == NULL,
       "  without the secret");
}

static void
sources(void)
{
    struct buf long_text = {.data = NULL};

    refused(NULL, NULL, "neither a JWT secret nor a JWKS file is given");
    refused("", "", "neither a JWT secret nor a JWKS file is given");
    refused("31 bytes are one byte too short", NULL,
            "JWT secret: it has 31 bytes and must have 32");
    refused(NULL, "/nonexistent/jwks.json", "JWKS file '/nonexistent/jwks.json': cannot read it");
    refused(MINT_SECRET, "/nonexistent/jwks.json", "No such file");
    refused(NULL, "/dev/null", "it is not a file");
    refused(NULL, folder, "it is not a file");
    put_file("{}");
    refused(MINT_SECRET, path, "it is not a JSON object");
    put_file("{\"keys\":[]}");
    refused(NULL, path, "has no usable key");
    for (int i = 0; i < 1024 * 1024; i++)
        buf_add(&long_text, " ", 1);
    buf_add_text(&long_text, "{\"keys\":[]}");
    put_file(buf_text(&long_text));
    refused(MINT_SECRET, path, "it is longer than 1 MiB");
    buf_release(&long_text);
}

static struct jwt_keys *
open_keys(const char *secret, const char *file)
{
    struct jwt_key_source from = {secret, file};
    struct jwt_keys *keys = NULL;
    struct err err = {.text = ""};

    if (!jwt_keys_new(&from, &keys, &err)) {
        printf("Bail out! %s\n", err.text);
        exit(1);
    }
    return keys;
}

/* --- a file that changes ----------------------------------------------------------------- */

static void
refreshed(struct jwt_keys *keys, bool done, bool changed, const char *name)
{
    struct err err = {.text = ""};
    bool is_changed = !changed;

    is_int(jwt_keys_refresh(keys, &is_changed, &err), done, "%s", name);
    is_int(is_changed, changed, "  and %s", changed ? "there are new keys" : "no new keys");
    ok(done || strstr(err.text, path) != NULL, "  and the file is named: %s", err.text);
}

/* As if it had been written long ago. */
static void
make_old(int64_t seconds)
{
    struct timespec times[2] = {{.tv_sec = 1700000000 + seconds}, {.tv_sec = 1700000000 + seconds}};

    if (utimensat(AT_FDCWD, path, times, 0) != 0)
        exit(1);
}

static char *
one_key(enum mint_with with)
{
    return xasprintf("{\"keys\":[%s]}", mint_jwk(with));
}

static void
changes(void)
{
    AUTO(mem) char *ec = one_key(MINT_EC_ES256), *rsa_only = one_key(MINT_RSA_RS256);
    const char *token = mint(MINT_EC_ES256, NULL, FINE);
    struct jwt_keys *keys;

    put_file(ec);
    keys = open_keys(MINT_SECRET, path);
    is_int(jwt_keys_count(keys), 2, "a secret and a key of the file");
    refreshed(keys, true, false, "a file that is as it was");
    is_int(verify(keys, token), JWT_GOOD, "its key verifies");

    put_file(rsa_only);
    refreshed(keys, true, true, "another file in its place");
    is_int(verify(keys, token), JWT_NO_KEY, "the old key is gone");
    is_int(verify(keys, mint(MINT_RSA_RS256, NULL, FINE)), JWT_GOOD, "the new one is there");
    is_int(verify(keys, mint(MINT_SECRET_HS256, NULL, FINE)), JWT_GOOD, "and the secret");

    put_file("{\"keys\":[{}]}");
    refreshed(keys, false, false, "a file that is none");
    is_int(verify(keys, mint(MINT_RSA_RS256, NULL, FINE)), JWT_GOOD, "the keys stay");
    refreshed(keys, true, false, "that is told once");
    make_old(1);
    refreshed(keys, true, false, "not again for another time of the same text");

    remove(path);
    refreshed(keys, false, false, "no file");
    refreshed(keys, true, false, "that is told once, too");
    is_int(verify(keys, mint(MINT_RSA_RS256, NULL, FINE)), JWT_GOOD, "the keys stay");
    put_file(ec);
    refreshed(keys, true, true, "there it is again");
    is_int(verify(keys, token), JWT_GOOD, "with its key");
    remove(path);
    refreshed(keys, false, false, "the next time it is gone is told again");

    put_file("{\"keys\":[]}");
    refreshed(keys, true, true, "all keys are taken away");
    is_int(verify(keys, token), JWT_NO_KEY, "none verifies");
    is_int(jwt_keys_count(keys), 1, "only the secret is left");
    jwt_keys_free(keys);
}

/* In place: the same file with other bytes. */
static void
overwrite(const char *text)
{
    FILE *f = fopen(path, "r+e");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        exit(1);
}

/* Time, size and inode decide; but what was written just now may change and keep them. */
static void
unseen_changes(void)
{
    AUTO(mem) char *ec = one_key(MINT_EC_ES256), *other = xstrdup(ec);
    struct timespec times[2];
    struct jwt_keys *keys;
    struct stat st;

    memcpy(strstr(other, "ec-1"), "ec-2", 4);
    put_file(ec);
    make_old(0);
    keys = open_keys(NULL, path);
    overwrite(other);
    make_old(0);
    refreshed(keys, true, false, "an old file with all as it was is not read");
    make_old(1);
    refreshed(keys, true, true, "with another time it is");

    put_file(ec);
    make_old(1);
    refreshed(keys, true, true, "another file of that size and time is read");
    put_file(ec);
    refreshed(keys, true, false, "the same text in another file is no change");
    stat(path, &st);
    overwrite(other);
    times[0] = times[1] = st.st_mtim;
    utimensat(AT_FDCWD, path, times, 0);
    refreshed(keys, true, true, "a young file is read whatever stat says");
    jwt_keys_free(keys);

    keys = open_keys(MINT_SECRET, NULL);
    refreshed(keys, true, false, "no file, no change");
    jwt_keys_free(keys);
    jwt_keys_free(NULL);
}

/* --- tokens that were good before ---------------------------------------------------------- */

static bool
is_known(const struct jwt_keys *keys, const char *token)
{
    unsigned char digest[JWT_DIGEST_BYTES];

    return jwt_digest((struct jwt_bytes){token, strlen(token)}, digest) &&
           jwt_cache_has(jwt_keys_cache(keys), digest);
}

static void
known_tokens(void)
{
    const char *token = mint(MINT_EC_ES256, NULL, FINE), *secret, *forged;
    AUTO(mem) char *ec = one_key(MINT_EC_ES256), *rsa_only = one_key(MINT_RSA_RS256);
    AUTO(mem) char *changed = xstrdup(token);
    struct jwt_keys *keys;

    put_file(ec);
    keys = open_keys(MINT_SECRET, path);
    ok(!is_known(keys, token), "a token that nobody has seen");
    is_int(verify(keys, token), JWT_GOOD, "is good");
    ok(is_known(keys, token), "and known from then on");
    is_int(verify(keys, token), JWT_GOOD, "and good again");
    is_int(verify_at(keys, token, NOW_S + 3629), JWT_GOOD, "as long as it lasts");
    is_int(verify_at(keys, token, NOW_S + 3630), JWT_EXPIRED, "but not longer");

    changed[strlen(changed) - 5] = changed[strlen(changed) - 5] == 'A' ? 'B' : 'A';
    is_int(verify(keys, changed), JWT_BAD_SIGNATURE, "one that differs in a letter is bad");
    ok(!is_known(keys, changed), "and what is bad is not kept");
    forged = mint(MINT_OTHER_ES256, NULL, FINE);
    is_int(verify(keys, forged), JWT_BAD_SIGNATURE, "as is the same by somebody else");
    ok(!is_known(keys, forged), "which is not kept either");
    secret = mint(MINT_SECRET_HS256, NULL, FINE);
    is_int(verify(keys, secret), JWT_GOOD, "a token of the secret");
    ok(!is_known(keys, secret), "is cheap, and not kept");

    put_file(rsa_only);
    refreshed(keys, true, true, "the key is gone");
    ok(!is_known(keys, token), "and all that it has signed is forgotten");
    is_int(verify(keys, token), JWT_NO_KEY, "and refused");
    jwt_keys_free(keys);
}

static void
full_cache(void)
{
    struct jwt_cache *cache = jwt_cache_new();
    unsigned char digest[JWT_DIGEST_BYTES] = {0};
    int n = 0, kept = 0;

    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 100000; i++) {
            uint32_t mixed = i * 2654435761U;

            digest[0] = (unsigned char)(mixed >> 24);
            digest[1] = (unsigned char)(mixed >> 16);
            digest[2] = (unsigned char)(mixed >> 8);
            memcpy(digest + 4, &i, sizeof(i));
            if (round == 0) {
                jwt_cache_add(cache, digest);
                n += jwt_cache_has(cache, digest);
            } else
                kept += jwt_cache_has(cache, digest);
        }
    }
    is_int(n, 100000, "what was added last is there, however many there were");
    is_int(kept, 8192, "as many as there are places stay");
    jwt_cache_clear(cache);
    ok(!jwt_cache_has(cache, digest), "and none after clearing");
    jwt_cache_free(cache);
}

/* --- making ------------------------------------------------------------------------------ */

static void
not_made(const char *secret, const char *payload, enum err_class class, const char *why)
{
    const char *token = "untouched";
    struct err err = {.text = ""};
    struct arena arena;

    arena_init(&arena);
    ok(!jwt_make(secret, payload, &arena, &token, &err), "not made: %s", why);
    has_str(err.text, why, "  says so");
    is_int(err.class, class, "  with its class");
    is_str(token, "untouched", "  and there is no token");
    arena_release(&arena);
}

static void
making(void)
{
    struct jwt_keys *keys = open_keys(MINT_SECRET, NULL);
    AUTO(mem) char *long_claim = xasprintf("{\"a\":\"%07000d\"}", 0);
    const char *token = NULL;
    struct err err;
    struct arena arena;

    arena_init(&arena);
    for (int n = 0; n < 4; n++) {
        const char *payload = arena_printf(&arena, "{\"exp\":1800003600,\"x\":\"%.*s\"}", n, "abc");

        ok(jwt_make(MINT_SECRET, payload, &arena, &token, &err), "made: %s", payload);
        is_int(verify(keys, token), JWT_GOOD, "  and good");
        is_str(token, mint(MINT_SECRET_HS256, NULL, payload), "  and as OpenSSL signs it");
    }
    arena_release(&arena);
    jwt_keys_free(keys);
    not_made("too short", FINE, ERR_CONFIG, "JWT secret: it has 9 bytes");
    not_made(MINT_SECRET, "[]", ERR_PERMANENT, "must be a JSON object");
    not_made(MINT_SECRET, "{\"a\":1,\"a\":1}", ERR_PERMANENT, "must be a JSON object");
    not_made(MINT_SECRET, long_claim, ERR_PERMANENT, "longer than 8192");
}

static void
equal(void)
{
    ok(secret_equal("a secret", "a secret"), "a secret equals itself");
    ok(!secret_equal("a secret", "a Secret"), "but no other");
    ok(!secret_equal("a secret", "a secret "), "nor a longer one");
    ok(!secret_equal("a secret", "a secre"), "nor a shorter one");
    ok(secret_is("a secret", "a secret ", 8), "a text has its length");
    ok(!secret_is("a secret", "a secret", 7), "  which is not its line's");
    ok(!secret_equal("", ""), "an empty one equals nothing");
    ok(!secret_equal(NULL, NULL), "one that is not there neither");
    ok(!secret_equal("a", NULL) && !secret_equal(NULL, "a"), "from both sides");
}

int
main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof(path), "%s/jwks.json", folder);
    mint_open();
    sources();
    changes();
    unseen_changes();
    known_tokens();
    full_cache();
    making();
    equal();
    mint_close();
    remove(path);
    rmdir(folder);
    return done_testing();
}
