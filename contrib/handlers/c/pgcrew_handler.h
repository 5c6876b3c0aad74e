/*
 * Work on many jobs of pgcrew in one program: pgcrew-handler(7) for C.
 *
 *     static void
 *     work(struct pgcrew_job *job)
 *     {
 *         pgcrew_progress(job, 10, "reading");
 *         ...
 *         pgcrew_result(job, "{\"size\": 4711}");
 *     }
 *
 *     int
 *     main(void)
 *     {
 *         pgcrew_serve("sizes 1.0", work);
 *         return 0;
 *     }
 *
 *     cc -o sizes sizes.c pgcrew_*.c $(pkg-config --cflags --libs msgpack)
 *
 * One job at a time: let pgcrew start more programs to do more.  Needs the Debian package
 * libmsgpack-dev (from Debian 13 on libmsgpack-c-dev, and msgpack-c for pkg-config).
 */
#ifndef PGCREW_HANDLER_H
#define PGCREW_HANDLER_H

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

struct pgcrew_job {
    const char *payload; /* JSON text; gone when work() returns */
    const msgpack_object_map *facts;
    int64_t number; /* what the frames call it */
    bool answered, cancelled;
};

/* Call work() for each job; returns when pgcrew wants no more. */
void pgcrew_serve(const char *name, void (*work)(struct pgcrew_job *job));

/* id, kind, queue, attempt, max_attempts, timeout_ms ...; nil when there is no such fact. */
msgpack_object pgcrew_fact(const struct pgcrew_job *job, const char *name);

/* Is it to stop?  Ask now and then in a long job. */
bool pgcrew_cancelled(struct pgcrew_job *job);

/* One frame of n elements.  s: text, i: int64_t (nil for NULL, below 0); 3: a map of 3 pairs. */
void pgcrew_say(size_t n, const char *parts, ...);

/* percent is negative when it is not known, note may be NULL. */
static inline void
pgcrew_progress(const struct pgcrew_job *job, int percent, const char *note)
{
    pgcrew_say(4, "siis", "progress", job->number, (int64_t)percent, note);
}

static inline void
pgcrew_log(const struct pgcrew_job *job, const char *text)
{
    pgcrew_say(3, "sis", "log", job->number, text);
}

/* The end of an attempt, once; a work() that says neither has succeeded without a result. */
static inline void
pgcrew_result(struct pgcrew_job *job, const char *json)
{
    pgcrew_say(3, "sis", "result", job->number, json);
    job->answered = true;
}

/* again: "retry", "never" or "snooze" (not counted); wait_ms: negative for the usual wait. */
static inline void
pgcrew_failure(struct pgcrew_job *job, const char *error, const char *again, int64_t wait_ms)
{
    pgcrew_say(3, wait_ms < 0 ? "si2ssss" : "si3sssssi", "failure", job->number, "error", error,
               "again", again, "wait_ms", wait_ms);
    job->answered = true;
}

#endif
