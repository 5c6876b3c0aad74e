/*
 * Times that people write and read: --at, --in, and local time in tables.
 */
#ifndef PGCREW_CLI_WHEN_H
#define PGCREW_CLI_WHEN_H

#include "base/base.h"
#include "base/err.h"

#define WHEN_TEXT_SIZE 40

/*
 * "2026-12-24 18:00", "2026-12-24T18:00:05Z", "2026-12-24 18:00+01:00",
 * "2026-12-24", "18:00" (the next time it is 18:00): local time where no zone
 * is written.  now_s is the present, for the last form.  ret is in
 * microseconds since 1970.
 */
bool when_parse_at(const char *text, int64_t now_s, int64_t *ret_us, struct err *err) MUST_CHECK;

/* "5min", "1h30min", "90s": one or more numbers with their units. */
bool when_parse_in(const char *text, int64_t *ret_ms, struct err *err) MUST_CHECK;

/* "2026-12-24T17:00:05.123Z" as local "2026-12-24 18:00:05"; false: not such a time. */
bool when_show_local(const char *utc, char ret[WHEN_TEXT_SIZE]);

/* Seconds from 1970 of such a time; 0: not one. */
int64_t when_seconds(const char *utc);

#endif
