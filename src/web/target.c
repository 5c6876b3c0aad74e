#include "web/target.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* As PostgreSQL takes it: what cannot be stored is no text. */
static bool
is_utf8(struct arena *a, const char *text, size_t len)
{
    char *storable;

    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] >= 0x80) {
            storable = arena_memdup(a, text, len);
            text_make_storable(storable, len);
            return memcmp(storable, text, len) == 0;
        }
    }
    return true;
}

/* One piece of the target, decoded into the arena; NULL, and why, when it cannot be. */
static char *
decode(struct arena *a, const char *raw, size_t len, bool plus_is_blank, const char **why)
{
    char *ret = arena_memdup(a, raw, len);
    size_t to = 0;

    for (size_t i = 0; i < len; i++) {
        char c = raw[i];

        if (c == '%') {
            int high = len - i < 3 ? -1 : hex(raw[i + 1]);
            int low = len - i < 3 ? -1 : hex(raw[i + 2]);

            if (high < 0 || low < 0) {
                *why = "a '%' in the target is not followed by two hexadecimal digits";
                return NULL;
            }
            c = (char)(high << 4 | low);
            if (c == '\0') {
                *why = "there is a NUL in the target";
                return NULL;
            }
            i += 2;
        } else if (plus_is_blank && c == '+') {
            c = ' ';
        }
        ret[to++] = c;
    }
    ret[to] = '\0';
    if (!is_utf8(a, ret, to)) {
        *why = "the target is not UTF-8";
        return NULL;
    }
    return ret;
}

static size_t
count(const char *text, size_t len, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++)
        n += text[i] == c;
    return n;
}

/* A raw target in its parts. */
struct parts {
    const char *path;
    size_t path_len;
    const char *query; /* NULL: none */
};

/* "http://host/path?query" is "/path?query". */
static struct parts
split(const char *raw)
{
    struct parts p = {.path = raw};

    if (strncasecmp(raw, "http://", 7) == 0)
        p.path = raw + 7 + strcspn(raw + 7, "/?");
    else if (strncasecmp(raw, "https://", 8) == 0)
        p.path = raw + 8 + strcspn(raw + 8, "/?");
    p.path_len = strcspn(p.path, "?");
    if (p.path[p.path_len] == '?')
        p.query = p.path + p.path_len + 1;
    if (p.path_len == 0 && p.path != raw) {
        p.path = "/";
        p.path_len = 1;
    }
    return p;
}

/* Beyond ASCII all is taken that is UTF-8: not everybody encodes it. */
static bool
has_uri_characters(const char *raw, const struct parts *p)
{
    for (const char *c = raw; *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '#')
            return false;
    }
    return memchr(p->path, '\\', p->path_len) == NULL;
}

static bool
read_path(struct arena *a, const char *raw, size_t len, struct target *ret, const char **why)
{
    size_t n = count(raw, len, '/');
    const char **segments = arena_alloc(a, n * sizeof(*segments));
    const char *at = raw, *end = raw + len;
    char *path = decode(a, raw, len, false, why);

    if (path == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *begin = ++at;

        while (at < end && *at != '/')
            at++;
        segments[i] = decode(a, begin, (size_t)(at - begin), false, why);
        if (segments[i] == NULL)
            return false;
        if (strcmp(segments[i], ".") == 0 || strcmp(segments[i], "..") == 0) {
            *why = "the path has a '.' or '..'";
            return false;
        }
    }
    ret->path = path;
    ret->segments = segments;
    ret->n_segments = n;
    return true;
}

static bool
read_query(struct arena *a, const char *query, struct target *ret, const char **why)
{
    size_t n = count(query, strlen(query), '&') + 1;
    const char *at = query;

    ret->params = arena_alloc(a, n * sizeof(*ret->params));
    for (; *at != '\0'; at += *at == '&') {
        size_t len = strcspn(at, "&"), name = 0;
        struct target_param *p = &ret->params[ret->n_params];

        while (name < len && at[name] != '=')
            name++;
        if (len > 0) {
            p->name = decode(a, at, name, true, why);
            p->value = name < len ? decode(a, at + name + 1, len - name - 1, true, why) : "";
            if (p->name == NULL || p->value == NULL)
                return false;
            ret->n_params++;
        }
        at += len;
    }
    return true;
}

bool
target_read(struct arena *a, const char *raw, struct target *ret, const char **why)
{
    struct parts p = split(raw);
    struct target t = {0};

    if (!has_uri_characters(raw, &p)) {
        *why = "the target has a character that no URI has";
        return false;
    }
    if (strcmp(raw, "*") == 0) {
        *ret = (struct target){.path = "*"};
        return true;
    }
    if (*p.path != '/') {
        *why = "the target does not begin with a '/'";
        return false;
    }
    if (!read_path(a, p.path, p.path_len, &t, why) ||
        (p.query != NULL && !read_query(a, p.query, &t, why)))
        return false;
    *ret = t;
    return true;
}

const char *
cookie_find(struct arena *a, const char *header, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = header; *at != '\0'; at += *at == ';') {
        size_t pair;

        at += strspn(at, " \t");
        pair = strcspn(at, ";");
        if (pair > len && strncmp(at, name, len) == 0 && at[len] == '=') {
            const char *value = at + len + 1;
            size_t value_len = pair - len - 1;

            while (value_len > 0 && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
                value_len--;
            return arena_memdup(a, value, value_len);
        }
        at += pair;
    }
    return NULL;
}
