/*
 * Secrets of requests: base/secret.h says what a reference is.  They are looked up anew
 * for each request.
 */
#ifndef PGCREW_HTTP_SECRET_H
#define PGCREW_HTTP_SECRET_H

#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"

struct http_secret {
    const char *data; /* followed by a NUL */
    size_t len;       /* at least 1; line ends at its end are no part of it */
    struct http_secret *next;
};

/* Every secret that a request has: what is to be masked in what comes back. */
struct http_secrets {
    struct http_secret *first;
};

/*
 * Look one up and note it in known; it lives in the arena.  One that is missing,
 * empty, too long or not to be read is ERR_CONFIG.
 */
bool http_secret_get(const char *reference, struct arena *a, struct http_secrets *known,
                     const struct http_secret **ret, struct err *err) MUST_CHECK;

/*
 * A value of the configuration with each ${reference} replaced.  A result with a
 * control character in it would make headers of its own: ERR_CONFIG.
 */
bool http_secret_expand(const char *value, struct arena *a, struct http_secrets *known,
                        const char **ret, struct err *err) MUST_CHECK;

/*
 * What the other side sends back may repeat a secret: overwritten with '*', in
 * place.  Those of less than 6 bytes are left, they would be found everywhere.
 */
void http_secrets_mask(const struct http_secrets *known, char *data, size_t len);

#endif
