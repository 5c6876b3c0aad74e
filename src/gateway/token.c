#include "gateway/token.h"

#include <string.h>
#include <strings.h>

#include "base/secret.h"

/* After "Bearer" and its blanks; NULL: another scheme. */
static const char *
after_scheme(const char *header)
{
    static const char scheme[] = "Bearer";
    size_t len = sizeof(scheme) - 1;

    if (strncasecmp(header, scheme, len) != 0 || (header[len] != ' ' && header[len] != '\0'))
        return NULL;
    return header + len + strspn(header + len, " ");
}

static bool
is_text(const char *text, const char *token, size_t len)
{
    return text != NULL && strlen(text) == len && memcmp(text, token, len) == 0;
}

enum token_kind
token_pick(const struct token_places *places, const char *service_key, const char **ret,
           size_t *ret_len)
{
    static const char publishable[] = "sb_publishable_";
    const char *token =
        places->authorization != NULL ? after_scheme(places->authorization) : places->query;
    size_t len = token != NULL ? strlen(token) : 0;

    while (len > 0 && token[len - 1] == ' ')
        len--;
    if (len == 0)
        return TOKEN_NONE;
    /* Before the apikey: a server's client sends its key as both. */
    if (secret_is(service_key, token, len))
        return TOKEN_SERVICE;
    if (is_text(places->apikey, token, len) ||
        strncmp(token, publishable, strlen(publishable)) == 0)
        return TOKEN_PUBLIC;
    *ret = token;
    *ret_len = len;
    return TOKEN_USER;
}
