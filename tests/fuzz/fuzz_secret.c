/* Headers with ${references} in them, and secrets masked in what comes back. */
#include "fuzz.h"

#include "http/secret.h"

static void
expand(const char *value, struct arena *a)
{
    struct http_secrets known = {0};
    const char *text = NULL;
    struct err err = {0};

    if (http_secret_expand(value, a, &known, &text, &err)) {
        for (const char *p = text; *p != '\0'; p++)
            must((unsigned char)*p >= 0x20 && *p != 0x7f);
        must(strstr(value, "${") != NULL || strcmp(text, value) == 0);
    } else {
        must_say(&err);
        must(err.class == ERR_CONFIG);
    }
}

static void
mask(const char *secret, char *data, size_t len)
{
    struct http_secret one = {.data = secret, .len = strlen(secret)};
    struct http_secrets known = {&one};

    http_secrets_mask(&known, data, len);
    if (one.len >= 6 && strchr(secret, '*') == NULL && len > 0)
        must(memmem(data, len, secret, one.len) == NULL);
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *value = take_line(&in), *secret = take_line(&in), *body;
    size_t n = in.left;
    struct arena a;

    setenv("SECRET", "swordfish", 1);
    setenv("TWO_LINES", "a\r\nb: c", 1);
    arena_init(&a);
    expand(value, &a);
    body = take_text(&in);
    mask(secret, body, n);
    arena_release(&a);
    free(value);
    free(secret);
    free(body);
}
