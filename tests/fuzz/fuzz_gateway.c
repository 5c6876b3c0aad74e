/* Headers of requests for the gateway, and codes of errors. */
#include "fuzz.h"

#include "gateway/errors.h"
#include "gateway/internal.h"
#include "gateway/token.h"

static bool
is_within(const char *part, size_t len, const char *text)
{
    return text != NULL && part >= text && part + len <= text + strlen(text);
}

static void
pick(const char *authorization, const char *apikey, const char *query, const char *key)
{
    const struct token_places places = {authorization, apikey, query};
    const char *token = NULL;
    size_t len = 0;
    enum token_kind kind = token_pick(&places, key, &token, &len);

    if (kind != TOKEN_USER)
        return;
    must(is_within(token, len, authorization) || is_within(token, len, query));
    must(authorization == NULL || !is_within(token, len, query));
    must(len > 0 && token[len - 1] != ' ');
    must(key == NULL || strlen(key) != len || memcmp(key, token, len) != 0);
    must(apikey == NULL || strlen(apikey) != len || memcmp(apikey, token, len) != 0);
}

/* An empty line is a header that is not there. */
static const char *
or_null(const char *line)
{
    return line[0] != '\0' ? line : NULL;
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    AUTO(mem) char *authorization = take_line(&in), *apikey = take_line(&in);
    AUTO(mem) char *query = take_line(&in), *key = take_line(&in), *accept = take_line(&in);
    AUTO(mem) char *sqlstate = take_line(&in);
    const char *type = NULL;
    struct http_error is = http_error_of(sqlstate, len % 2 == 0, len % 3 == 0);
    bool single;

    pick(or_null(authorization), or_null(apikey), or_null(query), or_null(key));
    if (postgrest_form(accept, &type, &single))
        must(strstr(type, "json") != NULL);
    must(is.status >= 400 && is.status <= 599);
    must(strncmp(sqlstate, "XX", 2) != 0 || is.hidden);
}
