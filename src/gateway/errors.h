/*
 * Errors of the database as HTTP has them, as PostgREST does where it has an answer.
 */
#ifndef PGCREW_GATEWAY_ERRORS_H
#define PGCREW_GATEWAY_ERRORS_H

#include "base/base.h"

struct http_error {
    int status;
    bool hidden; /* what the server says is not for users */
};

/* anonymous: of role anon, who may sign in; writes: it was no read. */
struct http_error http_error_of(const char *sqlstate, bool anonymous, bool writes);
/* Seconds after which to try again; 0: that would not help, or nobody knows. */
int http_retry_after_s(int status);

#endif
