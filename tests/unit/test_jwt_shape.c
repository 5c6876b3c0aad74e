/* The bytes of a token: each of them counts, and none may be there that does not. */
#include <stdlib.h>

#include "jwt/internal.h"
#include "jwt_mint.h"
#include "tap.h"

#define NOW_S 1800000000
#define FINE "{\"sub\":\"a\",\"role\":\"authenticated\",\"exp\":1800003600}"

static struct jwt_keys *keys;

static enum jwt_verdict
verify(const char *token, size_t len)
{
    struct jwt_policy policy = {.skew_s = 30};
    struct jwt_claims claims;
    enum jwt_verdict verdict;
    struct arena arena;
    char *exact = xmalloc(len + 1);

    /* Memory that ends where the token ends: the sanitizer sees a read beyond. */
    memcpy(exact, token, len);
    exact = xrealloc(exact, len > 0 ? len : 1);
    arena_init(&arena);
    verdict = jwt_verify(keys, &policy, exact, len, NOW_S, &arena, &claims);
    arena_release(&arena);
    free(exact);
    return verdict;
}

static void
says(const char *token, enum jwt_verdict verdict, const char *name)
{
    is_str(jwt_verdict_text(verify(token, strlen(token))), jwt_verdict_text(verdict), "%s", name);
}

/* --- every byte ---------------------------------------------------------------------------- */

static bool
is_refused(enum jwt_verdict verdict)
{
    return verdict == JWT_MALFORMED || verdict == JWT_NO_KEY || verdict == JWT_BAD_SIGNATURE;
}

/* How many of the letters of a part may be another one and nobody sees it. */
static int
count_unseen(const char *token, size_t from, size_t until)
{
    static const char others[] = "AB_-z9.=+/ \n\t\xff";
    char *copy = xstrdup(token);
    int unseen = 0;

    for (size_t i = from; i < until; i++) {
        for (size_t o = 0; o < sizeof(others); o++) {
            copy[i] = others[o];
            if (copy[i] != token[i] && !is_refused(verify(copy, strlen(token))))
                unseen++;
        }
        copy[i] = token[i];
    }
    free(copy);
    return unseen;
}

static int
count_unseen_cuts(const char *token)
{
    int unseen = 0;

    for (size_t len = 0; len < strlen(token); len++)
        unseen += !is_refused(verify(token, len)) +
                  !is_refused(verify(token + len + 1, strlen(token) - len - 1));
    return unseen;
}

static void
every_byte(enum mint_with with)
{
    const char *token = mint(with, NULL, FINE);
    size_t first = (size_t)(strchr(token, '.') - token);
    size_t second = (size_t)(strrchr(token, '.') - token);

    says(token, JWT_GOOD, mint_alg(with));
    is_int(count_unseen(token, 0, first), 0, "  every letter of its header counts");
    is_int(count_unseen(token, first, first + 1), 0, "  its first dot");
    is_int(count_unseen(token, first + 1, second), 0, "  every letter of its payload");
    is_int(count_unseen(token, second, second + 1), 0, "  its second dot");
    is_int(count_unseen(token, second + 1, strlen(token)), 0, "  every letter of its signature");
    is_int(count_unseen_cuts(token), 0, "  cut off anywhere, at either end, it is refused");
    for (size_t more = 1; more <= 8; more++) {
        char longer[JWT_BYTES_MAX];
        int len = snprintf(longer, sizeof(longer), "%s%.*s", token, (int)more, "AAAAAAAA");

        ok(is_refused(verify(longer, (size_t)len)), "  with %zu letters more, too", more);
    }
}

/* r or s may be a byte shorter than others: then zeros stand in front. */
static void
short_numbers(void)
{
    bool has_r = false, has_s = false;
    char payload[64];

    for (int i = 0; i < 20000 && !(has_r && has_s); i++) {
        const char *token, *signature, *bytes;
        struct arena arena;
        size_t len;

        snprintf(payload, sizeof(payload), "{\"exp\":1800003600,\"n\":%d}", i);
        token = mint(MINT_EC_ES256, NULL, payload);
        signature = strrchr(token, '.') + 1;
        arena_init(&arena);
        if (!jwt_base64_decode(signature, strlen(signature), &arena, &bytes, &len) || len != 64)
            break;
        if ((bytes[0] == 0 && !has_r) || (bytes[32] == 0 && !has_s)) {
            says(token, JWT_GOOD, bytes[0] == 0 ? "ES256 with a short r" : "ES256 with a short s");
            has_r = has_r || bytes[0] == 0;
            has_s = has_s || bytes[32] == 0;
        }
        arena_release(&arena);
        mint_forget();
    }
    ok(has_r && has_s, "both were there");
}

static void
letters_and_bytes(void)
{
    /* clang-format off */
    static const struct { const char *text; int len; } rows[] = {
        {"", 0}, {"AA", 1}, {"AAA", 2}, {"AAAA", 3}, {"_-_-", 3}, {"AAAAAA", 4},
        {"A", -1}, {"AAAAA", -1}, {"AB", -1}, {"AAB", -1}, {"AAC", -1}, {"A=", -1}, {"AA==", -1},
        {"AAA=", -1}, {"+AAA", -1}, {"AA/A", -1}, {"A AA", -1}, {"AAAA\n", -1}, {"\xc3\xa4" "AA", -1},
    };
    /* clang-format on */

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct arena arena;
        const char *bytes;
        size_t len;
        bool done;

        arena_init(&arena);
        done = jwt_base64_decode(rows[i].text, strlen(rows[i].text), &arena, &bytes, &len);
        is_int(done ? (int)len : -1, rows[i].len, "base64url '%s'", rows[i].text);
        arena_release(&arena);
    }
}

/* --- parts --------------------------------------------------------------------------------- */

/* H, P and S stand for header, payload and signature. */
static const char *
put_together(const char *shape, const char *const parts[3])
{
    static const char letters[] = "HPS";
    static char made[JWT_BYTES_MAX * 2];
    size_t len = 0;

    made[0] = '\0';
    for (const char *p = shape; *p != '\0'; p++) {
        const char *part = strchr(letters, *p);

        if (part != NULL)
            len += (size_t)snprintf(made + len, sizeof(made) - len, "%s", parts[part - letters]);
        else
            len += (size_t)snprintf(made + len, sizeof(made) - len, "%c", *p);
    }
    return made;
}

/* clang-format off */
static const struct {
    const char *name, *shape;
} shapes[] = {
    {"only dots", ".."},
    {"nothing", ""},
    {"no dot", "H"},
    {"one dot", "H.P"},
    {"a dot behind", "H.P.S."},
    {"a dot in front", ".H.P.S"},
    {"two dots between", "H..P.S"},
    {"a fourth part", "H.P.S.AAAA"},
    {"five parts, as encrypted ones have", "H.P.S.AAAA.AAAA"},
    {"an empty header", ".P.S"},
    {"an empty payload", "H..S"},
    {"an empty signature", "H.P."},
    {"only a signature", "..S"},
    {"padding behind the signature", "H.P.S="},
    {"two signs of padding", "H.P.S=="},
    {"padding behind the payload", "H.P==.S"},
    {"padding behind the header", "H=.P.S"},
    {"a blank in front", " H.P.S"},
    {"a blank behind", "H.P.S "},
    {"a line end behind", "H.P.S\n"},
    {"a carriage return behind", "H.P.S\r\n"},
    {"a blank between", "H. P.S"},
    {"a tab between", "H.P\t.S"},
    {"Bearer in front", "Bearer H.P.S"},
    {"quotes around it", "\"H.P.S\""},
    {"parts in another order", "P.H.S"},
    {"the header as the signature", "H.P.H"},
    {"a letter more", "H.P.SA"},
    {"four letters more", "H.P.SAAAA"},
    {"JSON serialization", "{\"protected\":\"H\",\"payload\":\"P\",\"signature\":\"S\"}"},
};
/* clang-format on */

static void
shapes_of_a_token(void)
{
    char *token = xstrdup(mint(MINT_SECRET_HS256, NULL, FINE)), *rest = NULL;
    const char *parts[3] = {strtok_r(token, ".", &rest)};

    parts[1] = strtok_r(NULL, ".", &rest);
    parts[2] = strtok_r(NULL, ".", &rest);
    says(put_together("H.P.S", parts), JWT_GOOD, "taken apart and put together");
    for (size_t i = 0; i < LENGTH(shapes); i++) {
        const char *made = put_together(shapes[i].shape, parts);

        ok(is_refused(verify(made, strlen(made))), "refused: %s", shapes[i].name);
    }
    free(token);
}

/* The last letter of 32 bytes holds two bits that are no byte's: only zeros are canonical. */
static void
canonical(void)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *token = xstrdup(mint(MINT_SECRET_HS256, NULL, FINE));
    char *last = token + strlen(token) - 1;
    size_t value = (size_t)(strchr(letters, *last) - letters);

    is_int(value % 4, 0, "the last letter of 32 bytes has two bits left");
    for (size_t bits = 1; bits < 4; bits++) {
        *last = letters[value + bits];
        says(token, JWT_MALFORMED, "bits of no byte are refused in a signature");
    }
    free(token);
}

/* Signed as they are: only how they are written is wrong. */
static void
canonical_payload(void)
{
    const char *token = mint(MINT_SECRET_HS256, "{\"alg\":\"HS256\"} ", "{\"exp\":1800003600}");
    char *copy = xstrdup(token);
    size_t dot = (size_t)(strchr(token, '.') - token);

    says(token, JWT_GOOD, "a header of 16 bytes");
    copy[dot - 1]++;
    says(copy, JWT_MALFORMED, "bits of no byte are refused in a header");
    free(copy);
}

/* --- contents ------------------------------------------------------------------------------ */

static const char *
nested(const char *open, const char *close, int depth)
{
    static char json[JWT_BYTES_MAX];
    size_t len = 0;

    len += (size_t)snprintf(json, sizeof(json), "{\"exp\":1800003600,\"x\":");
    for (int i = 0; i < depth; i++)
        len += (size_t)snprintf(json + len, sizeof(json) - len, "%s", open);
    len += (size_t)snprintf(json + len, sizeof(json) - len, "0");
    for (int i = 0; i < depth; i++)
        len += (size_t)snprintf(json + len, sizeof(json) - len, "%s", close);
    snprintf(json + len, sizeof(json) - len, "}");
    return json;
}

static void
depth(void)
{
    says(mint(MINT_SECRET_HS256, NULL, nested("[", "]", 31)), JWT_GOOD, "32 levels of arrays");
    says(mint(MINT_SECRET_HS256, NULL, nested("[", "]", 32)), JWT_MALFORMED, "33 levels of arrays");
    says(mint(MINT_SECRET_HS256, NULL, nested("{\"a\":", "}", 31)), JWT_GOOD, "32 of objects");
    says(mint(MINT_SECRET_HS256, NULL, nested("{\"a\":", "}", 32)), JWT_MALFORMED, "33 of objects");
    says(mint(MINT_SECRET_HS256, NULL, nested("[", "]", 2500)), JWT_MALFORMED, "2500 levels");
    says(mint(MINT_SECRET_HS256, NULL,
              "{\"exp\":1800003600,\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}"),
         JWT_GOOD, "brackets in a text are no levels");
    says(mint(MINT_SECRET_HS256, NULL,
              "{\"exp\":1800003600,\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}"),
         JWT_GOOD, "nor behind a quote that is escaped");
    says(
        mint(MINT_SECRET_HS256,
             "{\"alg\":\"HS256\",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]]]]]]]]]]"
             "]]]]]}",
             FINE),
        JWT_MALFORMED, "33 levels in the header");
}

static void
bytes(void)
{
    static const char nul_behind[] = "{\"exp\":1800003600}\0";
    static const char nul_in_text[] = "{\"exp\":1800003600,\"sub\":\"a\0b\"}";
    static const char nul_behind_number[] = "{\"exp\":1800003600\0}";
    static const char header[] = "{\"alg\":\"HS256\"}\0";
    char token[512];

#define BYTES(payload)                                                                             \
    mint_bytes(MINT_SECRET_HS256, header, sizeof(header) - 2, payload, sizeof(payload) - 1)
    says(BYTES(nul_behind), JWT_MALFORMED, "a NUL behind the payload");
    says(BYTES(nul_in_text), JWT_MALFORMED, "a NUL in a text of the payload");
    says(BYTES(nul_behind_number), JWT_MALFORMED, "a NUL behind a number of the payload");
    says(mint_bytes(MINT_SECRET_HS256, header, sizeof(header) - 1, FINE, strlen(FINE)),
         JWT_MALFORMED, "a NUL behind the header");
    snprintf(token, sizeof(token), "%s", mint(MINT_SECRET_HS256, NULL, FINE));
    is_int(verify(token, strlen(token) + 1), JWT_MALFORMED, "a NUL behind the token");
    is_int(verify("", 0), JWT_MALFORMED, "an empty token");
}

/* A token of this many bytes, by a claim that is as long as it takes; 0: not to be had. */
static size_t
make_long(size_t wish, const char **ret)
{
    static char payload[JWT_BYTES_MAX * 2];

    for (size_t n = wish / 4 * 3 - 200; n < wish; n++) {
        snprintf(payload, sizeof(payload), "{\"exp\":1800003600,\"x\":\"%0*d\"}", (int)n, 0);
        *ret = mint(MINT_SECRET_HS256, NULL, payload);
        if (strlen(*ret) >= wish)
            break;
    }
    return strlen(*ret);
}

static void
sizes(void)
{
    const char *token;

    is_int(make_long(JWT_BYTES_MAX, &token), JWT_BYTES_MAX, "a token of 8 KiB can be had");
    says(token, JWT_GOOD, "and is good");
    make_long(JWT_BYTES_MAX + 1, &token);
    says(token, JWT_MALFORMED, "a longer one is refused");
    make_long((size_t)JWT_BYTES_MAX * 2 - 400, &token);
    says(token, JWT_MALFORMED, "so is one of 16 KiB");
}

int
main(void)
{
    struct jwt_key_source from = {MINT_SECRET, "test_jwt_shape.jwks"};
    char path[] = "/tmp/test_jwt_shape.XXXXXX";
    struct err err;
    FILE *f;

    mint_open();
    from.jwks_file = path;
    f = fdopen(mkstemp(path), "w");
    if (f == NULL || fputs(mint_jwks(), f) < 0 || fclose(f) != 0 ||
        !jwt_keys_new(&from, &keys, &err))
        return 1;
    remove(path);
    for (int with = 0; with < MINT_GOOD; with++)
        every_byte((enum mint_with)with);
    short_numbers();
    letters_and_bytes();
    shapes_of_a_token();
    canonical();
    canonical_payload();
    depth();
    bytes();
    sizes();
    jwt_keys_free(keys);
    mint_close();
    return done_testing();
}
