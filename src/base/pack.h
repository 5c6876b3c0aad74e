/*
 * msgpack read a value at a time, in place, without memory: for bytes from
 * outside.  A head may announce more elements than there will ever be bytes, and
 * nest them without end; here that costs nothing.
 */
#ifndef PGCREW_BASE_PACK_H
#define PGCREW_BASE_PACK_H

#include "base/base.h"

enum pack_found {
    PACK_MORE,   /* not all of it is here */
    PACK_WHOLE,  /* here it is */
    PACK_BROKEN, /* not msgpack */
};

/* The start of a value: its own size, bytes that follow it, and values that follow those. */
struct pack_head {
    size_t size, bytes;
    uint64_t values;
};

/* len is not 0.  Only the head is looked at: ret->bytes may reach beyond data + len. */
enum pack_found pack_head(const char *data, size_t len, struct pack_head *ret) MUST_CHECK;

enum pack_type {
    PACK_NIL,
    PACK_BOOL,
    PACK_INT,
    PACK_REAL,
    PACK_TEXT,
    PACK_ARRAY,
    PACK_MAP,
    PACK_EXT
};

struct pack_value {
    enum pack_type type;
    int64_t number;   /* PACK_INT, above INT64_MAX as that; PACK_BOOL: 0 or 1 */
    double real;      /* PACK_REAL and PACK_INT */
    const char *text; /* PACK_TEXT (str or bin): into the data, no NUL */
    size_t len;       /* ... of it */
    uint64_t n;       /* PACK_ARRAY: its elements, PACK_MAP: its pairs; they follow */
};

struct pack_reader {
    const char *at, *end;
};

/* The next value, of an array or a map only the head; PACK_MORE: the data ends before it does. */
enum pack_found pack_next(struct pack_reader *r, struct pack_value *ret) MUST_CHECK;
/* Past n values and all that is in them. */
enum pack_found pack_skip(struct pack_reader *r, uint64_t n) MUST_CHECK;

/* Is it this text? */
bool pack_is(const struct pack_value *value, const char *text);

#endif
