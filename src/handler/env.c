#include "handler/env.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "config/conf.h"

/* Say nothing secret about the daemon; most programs expect them. */
static const char *const always[] = {"PATH", "HOME", "LANG", "TZ"};
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define OURS 16 /* more than the facts below */

struct env {
    struct arena *arena;
    const char **items;
    size_t n;
};

/* A later value of the same name wins. */
static void
put_item(struct env *env, const char *item)
{
    size_t name = strcspn(item, "=") + 1;

    for (size_t i = 0; i < env->n; i++) {
        if (strncmp(env->items[i], item, name) == 0) {
            env->items[i] = item;
            return;
        }
    }
    env->items[env->n++] = item;
}

static void
put(struct env *env, const char *name, const char *value)
{
    put_item(env, arena_printf(env->arena, "%s=%s", name, value));
}

static void
put_number(struct env *env, const char *name, int64_t value)
{
    put_item(env, arena_printf(env->arena, "%s=%" PRId64, name, value));
}

/* RFC 3339 in UTC, for people and programs; nothing here is decided by it. */
static void
put_deadline(struct env *env, int64_t timeout_ms)
{
    struct timespec now;
    struct tm utc;
    char text[32];
    int64_t ms;
    time_t s;

    clock_gettime(CLOCK_REALTIME, &now);
    ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + timeout_ms;
    s = (time_t)(ms / 1000);
    gmtime_r(&s, &utc);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    put_item(env, arena_printf(env->arena, "PGCREW_DEADLINE=%s.%03dZ", text, (int)(ms % 1000)));
}

/* W3C Trace Context: version 00, a new trace and its first span, sampled. */
void
env_traceparent(char ret[ENV_TRACE_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char id[16 + 8];
    char hex[2 * sizeof(id) + 1] = "";

    if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
        memset(id, 1, sizeof(id)); /* no random numbers: a trace that is valid, if not unique */
    id[0] |= 1;                    /* all zeros would be invalid */
    id[16] |= 1;
    for (size_t i = 0; i < sizeof(id); i++) {
        hex[2 * i] = digits[id[i] >> 4];
        hex[2 * i + 1] = digits[id[i] & 0x0f];
    }
    snprintf(ret, ENV_TRACE_SIZE, "00-%.32s-%.16s-01", hex, hex + 32);
}

static void
put_trace(struct env *env)
{
    char trace[ENV_TRACE_SIZE];

    env_traceparent(trace);
    put(env, "TRACEPARENT", trace);
}

static void
put_facts(struct env *env, const struct job *job, int64_t timeout_ms)
{
    put_number(env, "PGCREW_JOB_ID", job->id);
    put(env, "PGCREW_JOB_KIND", job->kind);
    put(env, "PGCREW_QUEUE", job->queue);
    put_number(env, "PGCREW_ATTEMPT", job->attempt);
    put_number(env, "PGCREW_MAX_ATTEMPTS", job->max_attempts);
    put(env, "PGCREW_BATCH_ID", job->batch_id);
    put(env, "PGCREW_USER_ID", job->user_id);
    put_number(env, "PGCREW_TOKEN", job->token);
    put_number(env, "PGCREW_TIMEOUT_MS", timeout_ms);
    put_deadline(env, timeout_ms);
    put_number(env, "PGCREW_PROGRESS_FD", 3);
    put_trace(env);
}

/* What does not depend on the job. */
static struct env
surroundings(const struct handler_conf *handler, struct arena *arena)
{
    const char *const *configured = handler->envp;
    struct env env = {.arena = arena};
    size_t n = 0;

    while (configured != NULL && configured[n] != NULL)
        n++;
    env.items = arena_alloc(arena, (LENGTH(always) + n + OURS + 1) * sizeof(*env.items));
    put(&env, "PATH", DEFAULT_PATH);
    for (size_t i = 0; i < LENGTH(always); i++) {
        if (getenv(always[i]) != NULL)
            put(&env, always[i], getenv(always[i]));
    }
    for (size_t i = 0; i < n; i++)
        put_item(&env, configured[i]);
    return env;
}

const char *const *
env_of(struct run *run)
{
    struct env env = surroundings(run->handler, &run->arena);

    put_facts(&env, &run->job, run->handler->timeout_ms);
    return env.items;
}

const char *const *
env_of_program(const struct handler_conf *handler, struct arena *arena)
{
    struct env env = surroundings(handler, arena);

    put(&env, "PGCREW_JOB_KIND", handler->kind);
    put_number(&env, "PGCREW_HANDLER_FD", 3);
    return env.items;
}
