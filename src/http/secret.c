#include "http/secret.h"

#include <string.h>

#include "base/secret.h"

#define MASKED_FROM 6

bool
http_secret_get(const char *reference, struct arena *a, struct http_secrets *known,
                const struct http_secret **ret, struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};
    struct http_secret *secret;

    if (!secret_read(reference, &text, err))
        return false;
    secret = arena_alloc(a, sizeof(*secret));
    secret->data = arena_memdup(a, text.data, text.len);
    secret->len = text.len;
    secret->next = known->first;
    known->first = secret;
    *ret = secret;
    return true;
}

static bool
has_control(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)data[i] < 0x20 || data[i] == 0x7f)
            return true;
    }
    return false;
}

/* One ${reference}; p is just behind "${". */
static bool
expand_one(const char *p, const char *end, struct arena *a, struct http_secrets *known,
           struct buf *ret, struct err *err)
{
    const char *reference = arena_memdup(a, p, (size_t)(end - p));
    const struct http_secret *secret;

    if (!http_secret_get(reference, a, known, &secret, err))
        return false;
    if (has_control(secret->data, secret->len))
        return err_set(err, ERR_CONFIG, "secret '%s' has control characters in it", reference);
    buf_add(ret, secret->data, secret->len);
    return true;
}

bool
http_secret_expand(const char *value, struct arena *a, struct http_secrets *known, const char **ret,
                   struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};
    const char *p = value, *dollar;

    while ((dollar = strstr(p, "${")) != NULL) {
        const char *end = strchr(dollar, '}');

        if (end == NULL)
            return err_set(err, ERR_CONFIG, "a '${' has no '}'");
        buf_add(&text, p, (size_t)(dollar - p));
        if (!expand_one(dollar + 2, end, a, known, &text, err))
            return false;
        p = end + 1;
    }
    buf_add_text(&text, p);
    if (has_control(buf_text(&text), text.len))
        return err_set(err, ERR_CONFIG, "a header has control characters in it");
    *ret = arena_memdup(a, buf_text(&text), text.len);
    return true;
}

void
http_secrets_mask(const struct http_secrets *known, char *data, size_t len)
{
    for (const struct http_secret *s = known->first; s != NULL; s = s->next) {
        char *p = data, *found;

        if (s->len < MASKED_FROM || len == 0)
            continue;
        while ((found = memmem(p, len - (size_t)(p - data), s->data, s->len)) != NULL) {
            memset(found, '*', s->len);
            p = found + s->len;
        }
    }
}
