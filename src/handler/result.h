/*
 * What a handler prints on stdout becomes the result of its job: JSON stays as
 * it is, other text becomes a JSON string, nothing stays nothing.
 *
 * The text must be one that PostgreSQL takes as jsonb: a job that did its work
 * must not fail at its finish.
 */
#ifndef PGCREW_HANDLER_RESULT_H
#define PGCREW_HANDLER_RESULT_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"

struct result {
    struct buf kept;
    int64_t total_bytes;
    size_t max_bytes; /* of what is kept; more and only the head is */
    bool truncated;
};

void result_add(struct result *r, const char *data, size_t len);
void result_release(struct result *r);

/* The JSON text, in the arena; NULL when the handler printed nothing but blanks. */
char *result_json(struct result *r, struct arena *arena) MUST_CHECK;

#endif
