/*
 * Text from people and for people: durations, sizes, the nearest name, what
 * may be printed and what may be stored.
 */
#ifndef PGCREW_BASE_TEXT_H
#define PGCREW_BASE_TEXT_H

#include "base/base.h"

/* "250ms", "2s", "10min", "1h", "7d", or a bare number of milliseconds. */
bool text_to_ms(const char *text, int64_t *ret_ms) MUST_CHECK;
/* "4096", "64KiB", "16MiB", "1GiB". */
bool text_to_bytes(const char *text, int64_t *ret_bytes) MUST_CHECK;
bool text_to_int(const char *text, int64_t *ret) MUST_CHECK;

/* The other way, shortest exact form: 2000 -> "2s".  ret has room for 32 bytes. */
const char *text_from_ms(char ret[32], int64_t ms);
const char *text_from_bytes(char ret[32], int64_t bytes);
/* For people: "1.4 s", "3 min 20 s", "2 h 5 min". */
const char *text_ago(char ret[32], int64_t ms);

/* How many letters must change to make b of a; for "did you mean". */
size_t text_distance(const char *a, const char *b);

/* Copy with control characters and broken UTF-8 as \xNN; cut at size, always ends with NUL. */
void text_printable(char *ret, size_t size, const char *data, size_t len);

/*
 * Make data fit for a PostgreSQL text: valid UTF-8 without NUL, what is not
 * becomes '?'.  In place, same length.
 */
void text_make_storable(char *data, size_t len);
/* The largest length not above max that does not cut a UTF-8 character. */
size_t text_utf8_cut(const char *data, size_t len, size_t max);

#endif
