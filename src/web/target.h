/*
 * What a request asks for: path and query, checked and decoded.  And the values of a Cookie
 * header.  Knows nothing of connections.
 */
#ifndef PGCREW_WEB_TARGET_H
#define PGCREW_WEB_TARGET_H

#include "base/arena.h"
#include "base/base.h"

struct target_param {
    const char *name, *value; /* "" when there is no '=' */
};

struct target {
    const char *path;            /* decoded: "/a/b"; "*" of OPTIONS */
    const char *const *segments; /* decoded one by one: "a", "b"; "/" has one that is empty */
    size_t n_segments;
    struct target_param *params;
    size_t n_params;
};

/*
 * Read the target of a request line, in origin or absolute form.  What is returned lives in
 * the arena.  False, and why, for what is not clear to everybody who reads it: characters
 * that a URI has not, a broken percent code, NUL, text that is not UTF-8, "." and "..".
 */
bool target_read(struct arena *a, const char *raw, struct target *ret, const char **why) MUST_CHECK;

/* The value of this name in a Cookie header, in the arena; NULL: none. */
const char *cookie_find(struct arena *a, const char *header, const char *name);

#endif
