#include "web/routes.h"

#include <string.h>

/* What stands for "{...}": the rest of the path, without the '/' before it. */
static const char *
join(struct arena *a, const struct target *t, size_t from)
{
    size_t len = 0, at = 0;
    char *ret;

    for (size_t i = from; i < t->n_segments; i++)
        len += strlen(t->segments[i]) + 1;
    ret = arena_alloc(a, len + 1);
    for (size_t i = from; i < t->n_segments; i++) {
        size_t n = strlen(t->segments[i]);

        memcpy(ret + at, t->segments[i], n);
        at += n;
        ret[at++] = '/';
    }
    if (at > 0)
        ret[at - 1] = '\0';
    return ret;
}

static bool
is_same(const char *piece, size_t len, const char *text)
{
    return strlen(text) == len && memcmp(piece, text, len) == 0;
}

/* Does the path fit?  Captures are those of this pattern, in the arena. */
static bool
fits(struct arena *a, const char *pattern, const struct target *t, struct route_match *ret)
{
    const char *at = pattern;
    size_t i = 0;

    ret->n_captures = 0;
    for (; *at == '/'; i++) {
        size_t len = strcspn(++at, "/");

        if (is_same(at, len, "{...}")) {
            ret->captures[ret->n_captures++] = join(a, t, i);
            return true;
        }
        if (i >= t->n_segments)
            return false;
        if (is_same(at, len, "{}")) {
            if (t->segments[i][0] == '\0')
                return false;
            ret->captures[ret->n_captures++] = t->segments[i];
        } else if (!is_same(at, len, t->segments[i])) {
            return false;
        }
        at += len;
    }
    return i == t->n_segments;
}

struct route_match
routes_find(struct arena *a, const struct web_route *routes, size_t n, const struct target *target,
            unsigned method)
{
    struct route_match match = {0};

    if (target->n_segments == 0)
        return match;
    match.captures = arena_alloc(a, (target->n_segments + 1) * sizeof(*match.captures));
    for (size_t i = 0; i < n; i++) {
        if (!fits(a, routes[i].pattern, target, &match))
            continue;
        match.allowed |= routes[i].methods;
        if ((routes[i].methods & method) != 0) {
            match.route = &routes[i];
            return match;
        }
    }
    match.n_captures = 0;
    return match;
}

const char *
routes_allow(unsigned methods, char ret[64])
{
    static const struct {
        unsigned method;
        const char *text;
    } names[] = {{WEB_GET, "GET, HEAD, "}, {WEB_POST, "POST, "}, {WEB_DELETE, "DELETE, "}};

    *ret = '\0';
    for (size_t i = 0; i < LENGTH(names); i++) {
        if ((methods & names[i].method) != 0)
            strcat(ret, names[i].text);
    }
    return strcat(ret, "OPTIONS");
}
