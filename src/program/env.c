#include "program/env.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/conf.h"
#include "handler/trace.h"
#include "program/places.h"

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

static bool
has(const struct env *env, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < env->n; i++) {
        if (strncmp(env->items[i], name, len) == 0 && env->items[i][len] == '=')
            return true;
    }
    return false;
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

static void
put_facts(struct env *env, const struct job *job, int64_t timeout_ms)
{
    char trace[TRACE_PARENT_SIZE];

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
    trace_parent(trace);
    put(env, "TRACEPARENT", trace);
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

const char *const *
env_confined(const char *const *envp, const struct confine *confine, struct arena *arena)
{
    static const char *const folders[] = {"TMPDIR", "TMP", "TEMP"};
    const struct confine_user *user = confine->user;
    struct env env = {.arena = arena};

    while (envp[env.n] != NULL)
        env.n++;
    env.items = arena_alloc(arena, (env.n + OURS + 1) * sizeof(*env.items));
    memcpy(env.items, envp, env.n * sizeof(*env.items));
    for (size_t i = 0; i < LENGTH(folders); i++) {
        if (!has(&env, folders[i]))
            put(&env, folders[i], place_path(confine->place));
    }
    if (user != NULL) {
        put(&env, "HOME", user->home);
        put(&env, "USER", user->name);
        put(&env, "LOGNAME", user->name);
    }
    return env.items;
}
