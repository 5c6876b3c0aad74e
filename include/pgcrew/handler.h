/*
 * Handlers as shared objects: what a module offers to pgcrew and what it may ask of it.
 *
 * A module exports one symbol, `pgcrew_module`.  A worker loads it before it takes
 * jobs and calls its functions, one job after the other, in one thread.  A module is
 * part of the worker: a crash ends that worker and the attempt at hand, nothing else.
 *
 *     static enum pgcrew_end
 *     hello(struct pgcrew_job *job)
 *     {
 *         pgcrew_progress(job, 50, "half");
 *         return pgcrew_result(job, "{\"hello\": true}", 15);
 *     }
 *
 *     static const struct pgcrew_function functions[] = {{"hello", hello}, {NULL, NULL}};
 *
 *     PGCREW_MODULE(.name = "hello 1.0", .functions = functions);
 *
 * Build it with `cc -shared -fPIC $(pkg-config --cflags pgcrew) hello.c -o hello.so`.
 * pgcrew-module(7) says more.
 */
#ifndef PGCREW_HANDLER_H
#define PGCREW_HANDLER_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when something here changes its meaning.  A worker loads modules of its own version only. */
#define PGCREW_MODULE_ABI 1

/* How an attempt ended. */
enum pgcrew_end {
    PGCREW_DONE,   /* the job has succeeded */
    PGCREW_FAILED, /* a charged attempt; again after the wait that is configured */
    PGCREW_NEVER,  /* failed for good */
    PGCREW_LATER   /* not charged; again after the wait of pgcrew_wait(), else the configured one */
};

struct pgcrew_job;

/* What pgcrew does for a job; use the functions below, not this. */
struct pgcrew_calls {
    void *(*alloc)(struct pgcrew_job *job, size_t size);
    void (*progress)(struct pgcrew_job *job, double percent, const char *note);
    void (*log)(struct pgcrew_job *job, const char *format, va_list args);
    void (*result)(struct pgcrew_job *job, const char *text, size_t len);
    void (*error)(struct pgcrew_job *job, const char *text);
    void (*wait)(struct pgcrew_job *job, int64_t wait_ms);
    bool (*cancelled)(struct pgcrew_job *job);
};

/*
 * An attempt at a job.  Everything here belongs to pgcrew and is valid until the
 * function returns.  No pointer is NULL; texts end with a NUL.
 */
struct pgcrew_job {
    int64_t id;
    int64_t token; /* rises from attempt to attempt of a job */
    const char *kind;
    const char *queue;
    int32_t attempt; /* 1 for the first */
    int32_t max_attempts;
    const char *batch_id; /* "" when none */
    const char *user_id;  /* "" when none */
    const char *payload;  /* JSON, UTF-8 */
    size_t payload_len;   /* without the NUL */
    int64_t timeout_ms;   /* how long the function may take */
    const struct pgcrew_calls *calls;
};

/* One job.  Runs in the same thread every time, but not in the one that called begin(). */
typedef enum pgcrew_end pgcrew_run(struct pgcrew_job *job);

struct pgcrew_function {
    const char *name; /* as in `function:`; when that is not written, the kind of the job */
    pgcrew_run *run;
};

struct pgcrew_module {
    uint32_t abi;  /* PGCREW_MODULE_ABI */
    uint32_t size; /* of this struct */
    const char *name;
    const struct pgcrew_function *functions; /* the last one has no name */
    /* Once a process, before any job; may be NULL.  Not 0: the module cannot be used. */
    int (*begin)(void);
    /* Once a process that ends as planned, after the last job; may be NULL. */
    void (*end)(void);
};

/* PGCREW_MODULE(.name = "...", .functions = ..., .begin = ..., .end = ...); */
#define PGCREW_MODULE(...)                                                                         \
    __attribute__((visibility("default"))) extern const struct pgcrew_module pgcrew_module;        \
    const struct pgcrew_module pgcrew_module = {                                                   \
        .abi = PGCREW_MODULE_ABI, .size = sizeof(struct pgcrew_module), __VA_ARGS__}

/* Zeroed memory, aligned for any type, freed when the attempt has ended.  Never NULL. */
static inline void *
pgcrew_alloc(struct pgcrew_job *job, size_t size)
{
    return job->calls->alloc(job, size);
}

/*
 * 0 to 100, or less than 0 when it is not known; note may be NULL, of it 200 bytes are
 * kept.  Cheap: what is written to the database is coalesced.
 */
static inline void
pgcrew_progress(struct pgcrew_job *job, double percent, const char *note)
{
    job->calls->progress(job, percent, note);
}

/* A line of the log, kept with an attempt that failed.  Copied. */
static inline void __attribute__((format(printf, 2, 3)))
pgcrew_log(struct pgcrew_job *job, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    job->calls->log(job, format, args);
    va_end(args);
}

/*
 * The result: JSON is kept as it is, other text becomes a JSON string, of more than
 * limits.result the beginning is kept.  Called again, it is added to.  Copied.
 * Returns PGCREW_DONE, so that `return pgcrew_result(...)` reads well.
 */
static inline enum pgcrew_end
pgcrew_result(struct pgcrew_job *job, const char *text, size_t len)
{
    job->calls->result(job, text, len);
    return PGCREW_DONE;
}

/* Why it failed: one line for people.  Copied.  Returns end. */
static inline enum pgcrew_end
pgcrew_error(struct pgcrew_job *job, enum pgcrew_end end, const char *text)
{
    job->calls->error(job, text);
    return end;
}

/* With PGCREW_FAILED and PGCREW_LATER: how long to wait before the next attempt. */
static inline void
pgcrew_wait(struct pgcrew_job *job, int64_t wait_ms)
{
    job->calls->wait(job, wait_ms);
}

/*
 * Must this attempt end?  (The job was cancelled, ran too long, or the worker stops.)
 * Cheap; ask often.  A function that goes on for longer than worker.kill_grace after
 * this became true takes its worker along.  What it returns then does not count.
 */
static inline bool
pgcrew_cancelled(struct pgcrew_job *job)
{
    return job->calls->cancelled(job);
}

#ifdef __cplusplus
}
#endif

#endif
