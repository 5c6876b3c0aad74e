/*
 * Memory that is freed in one go: everything of one job, one request, one
 * configuration.  Blocks double up to 64 KiB; larger wishes get a block of
 * their own.
 */
#ifndef PGCREW_BASE_ARENA_H
#define PGCREW_BASE_ARENA_H

#include "base/base.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t total_bytes; /* asked of malloc so far */
};

void arena_init(struct arena *a);
void arena_release(struct arena *a); /* frees what is in it; NULL is fine; may be used again */

/* Zeroed memory, aligned for any type; lives as long as the arena. */
void *arena_alloc(struct arena *a, size_t size) MUST_CHECK;
char *arena_strdup(struct arena *a, const char *text) MUST_CHECK;
char *arena_memdup(struct arena *a, const void *data, size_t len) MUST_CHECK; /* plus a NUL */
char *arena_printf(struct arena *a, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

#endif
