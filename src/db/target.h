/*
 * Where to connect, and the defaults that make a lost network noticeable and
 * a remote connection encrypted.  What the URL says wins over every default.
 */
#ifndef PGCREW_DB_TARGET_H
#define PGCREW_DB_TARGET_H

#include "base/arena.h"
#include "base/err.h"

#define TARGET_KEYS 16

/* For PQconnectStartParams() and PQconnectdbParams() with expand_dbname = 1. */
struct target {
    struct arena arena;
    const char *keys[TARGET_KEYS + 1];
    const char *values[TARGET_KEYS + 1];
    const char *shown; /* for logs: "postgres on db.example.com:5432", never a password */
    char *lists[3];    /* those of the values that name several hosts; NULL after the last */
};

/*
 * url may be NULL: then libpq's PG* variables decide.  A URL that libpq cannot
 * read is ERR_CONFIG.  application_name is what pg_stat_activity shows.
 */
bool target_init(struct target *t, const char *url, const char *application_name,
                 int64_t connect_timeout_ms, struct err *err) MUST_CHECK;
void target_release(struct target *t);

/* Of several hosts, the one that was tried first is from now on tried last. */
void target_turn(struct target *t);

/* Does the text look like a key of Supabase's API rather than a database URL? */
bool target_is_api_key(const char *text);

#endif
