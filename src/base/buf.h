/*
 * A growing run of bytes, always followed by a NUL that is not counted.
 */
#ifndef PGCREW_BASE_BUF_H
#define PGCREW_BASE_BUF_H

#include "base/base.h"

struct buf {
    char *data; /* NULL while empty and never used */
    size_t len;
    size_t room;
};

void buf_release(struct buf *b); /* frees and empties; NULL is fine */
void buf_clear(struct buf *b);   /* empties, keeps the memory */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_drop_front(struct buf *b, size_t len); /* len must not be more than b->len */
/* Room for len more bytes at the returned place; add what was written to b->len. */
char *buf_reserve(struct buf *b, size_t len);
/* The text, never NULL. */
const char *buf_text(const struct buf *b);

#define auto_buf buf_release

#endif
