#include <string.h>

#include "jwt/internal.h"

/* Deeper than what anybody puts into a token, flat enough for every stack. */
#define DEPTH_MAX 32

/* How deep arrays and objects go; what is no JSON counts for something, too. */
static int
depth_of(const char *text, size_t len)
{
    int depth = 0, deepest = 0;
    bool in_text = false;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            in_text = !in_text;
        else if (in_text)
            i += text[i] == '\\';
        else if (text[i] == '{' || text[i] == '[')
            deepest = ++depth > deepest ? depth : deepest;
        else if (text[i] == '}' || text[i] == ']')
            depth--;
    }
    return deepest;
}

json_t *
jwt_parse_object(const char *text, size_t len)
{
    json_t *json;

    /* jansson reads over a NUL after a number. */
    if (memchr(text, '\0', len) != NULL || depth_of(text, len) > DEPTH_MAX)
        return NULL;
    json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}
