/*
 * The programs of one handler: how many there are, and who gets the next job.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "handler/serve.h"

#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 30000
#define HEALTHY_MS 10000

static SLIST_HEAD(, serve_pool) pools = SLIST_HEAD_INITIALIZER(pools);

/* A program that takes jobs, or is going to. */
static bool
is_of_use(const struct serve_program *p)
{
    return p->state == SERVE_STARTING || p->state == SERVE_READY;
}

static int
count(const struct serve_pool *pool, bool (*counts)(const struct serve_program *p))
{
    const struct serve_program *p;
    int n = 0;

    TAILQ_FOREACH (p, &pool->programs, link)
        n += counts(p);
    return n;
}

/* --- when it does not work --------------------------------------------------------------- */

/* A start has failed, or a program has ended unasked. */
static int64_t
plan_retry(struct serve_pool *pool, int64_t worked_ms)
{
    int64_t wait_ms = backoff_jitter(backoff_failed(&pool->backoff, worked_ms));

    pool->proven = false;
    pool->retry_mono = clock_mono_ms() + wait_ms;
    return wait_ms;
}

bool
serve_pool_works(const struct serve_pool *pool, struct err *err)
{
    int64_t wait_ms = pool->retry_mono - clock_mono_ms();
    char text[32];

    if (pool->broken[0] == '\0' || wait_ms <= 0 || count(pool, is_of_use) > 0)
        return true;
    return err_set(err, ERR_CONFIG, "its program %s; it is not started again for %s", pool->broken,
                   text_from_ms(text, wait_ms));
}

/* Nobody is there to take them, and nobody will be soon: uncharged. */
static void
end_waiting(struct serve_pool *pool, struct serve_program *p)
{
    struct serve_job *job;

    for (int n = pool->n_waiting; n > 0 && (job = TAILQ_FIRST(&pool->waiting)) != NULL; n--) {
        struct run_end end = RUN_END(RUN_NO_START);

        end.error = arena_printf(&job->run->arena, "its program %s", pool->broken);
        if (p != NULL)
            end.stderr_tail = complaint_tail(&p->complaint, &job->run->arena);
        serve_job_end(job, &end);
    }
}

/* --- handing out ------------------------------------------------------------------------- */

static void
end_asked(struct serve_pool *pool)
{
    struct serve_job *job, *next;

    for (job = TAILQ_FIRST(&pool->waiting); job != NULL; job = next) {
        struct run_end end = RUN_END(RUN_STOPPED);

        next = TAILQ_NEXT(job, link);
        if (job->asked)
            serve_job_end(job, &end);
    }
}

/* The one with the fewest jobs in hand; NULL: all are full. */
static struct serve_program *
choose(const struct serve_pool *pool)
{
    struct serve_program *p, *best = NULL;

    TAILQ_FOREACH (p, &pool->programs, link) {
        if (serve_program_has_room(p) && (best == NULL || p->n_jobs < best->n_jobs))
            best = p;
    }
    return best;
}

static void
hand_out(struct serve_pool *pool)
{
    int recycle_jobs = pool->handler->recycle_jobs;
    struct serve_program *p;
    struct serve_job *job;

    while ((job = TAILQ_FIRST(&pool->waiting)) != NULL && (p = choose(pool)) != NULL) {
        serve_job_send(job, p);
        if (recycle_jobs > 0 && p->last_ref >= recycle_jobs)
            serve_program_drain(p, "drained because of the number of its jobs");
    }
}

/* --- how many programs ------------------------------------------------------------------- */

static bool
is_starting(const struct serve_program *p)
{
    return p->state == SERVE_STARTING;
}

static bool
is_alive(const struct serve_program *p)
{
    return p->state != SERVE_GONE;
}

/*
 * Another one?  Not more than may be, with as many that are leaving; and one at a
 * time until one has shown that it works.
 */
static bool
wants_another(const struct serve_pool *pool)
{
    int starting = count(pool, is_starting), room = pool->room > 0 ? pool->room : 1;

    return pool->n_waiting > starting * room && (starting == 0 || pool->proven) &&
           count(pool, is_of_use) < pool->handler->programs &&
           count(pool, is_alive) < 2 * pool->handler->programs;
}

static void
could_not_start(struct serve_pool *pool, const struct err *err)
{
    int64_t wait_ms = plan_retry(pool, 0);

    log_warn("a program of %s could not be started: %s; trying again in %lld ms",
             pool->handler->kind, err->text, (long long)wait_ms);
    snprintf(pool->broken, sizeof(pool->broken), "could not be started: %s", err->text);
    if (count(pool, is_of_use) == 0)
        end_waiting(pool, NULL);
}

static void
start_programs(struct serve_pool *pool)
{
    while (wants_another(pool)) {
        int64_t wait_ms = pool->retry_mono - clock_mono_ms();
        struct err err;

        if (wait_ms > 0) {
            loop_timer_in(pool->loop, &pool->retry, wait_ms);
            return;
        }
        if (!serve_program_start(pool, &err)) {
            could_not_start(pool, &err);
            return;
        }
    }
}

/* --- the turn ---------------------------------------------------------------------------- */

static void
pool_free(struct serve_pool *pool)
{
    SLIST_REMOVE(&pools, pool, serve_pool, link);
    ev_timer_stop(pool->loop, &pool->retry);
    ev_prepare_stop(pool->loop, &pool->turn);
    free(pool);
}

static void
turn(struct serve_pool *pool)
{
    struct serve_program *p, *next;

    end_asked(pool);
    hand_out(pool);
    start_programs(pool);
    for (p = TAILQ_FIRST(&pool->programs); p != NULL; p = next) {
        next = TAILQ_NEXT(p, link);
        if (p->state == SERVE_GONE) {
            TAILQ_REMOVE(&pool->programs, p, link);
            serve_program_free(p);
        } else {
            serve_write(p);
        }
    }
    if (pool->ended && TAILQ_EMPTY(&pool->programs) && TAILQ_EMPTY(&pool->waiting))
        pool_free(pool);
}

static void
on_turn(struct ev_loop *loop, ev_prepare *w, int events)
{
    (void)events;
    ev_prepare_stop(loop, w);
    turn(w->data);
}

static void
on_retry(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)events;
    serve_pool_turn_soon(w->data);
}

void
serve_pool_turn_soon(struct serve_pool *pool)
{
    ev_prepare_start(pool->loop, &pool->turn);
}

struct serve_pool *
serve_pool_of(const struct run *run)
{
    struct serve_pool *pool;

    SLIST_FOREACH (pool, &pools, link) {
        if (pool->handler == run->handler && !pool->ended)
            return pool;
    }
    pool = xcalloc(1, sizeof(*pool));
    pool->handler = run->handler;
    pool->conf = run->conf;
    pool->loop = run->loop;
    pool->backoff = (struct backoff){
        .first_ms = RETRY_FIRST_MS, .max_ms = RETRY_MAX_MS, .healthy_ms = HEALTHY_MS};
    TAILQ_INIT(&pool->programs);
    TAILQ_INIT(&pool->waiting);
    loop_timer_init(&pool->retry, on_retry);
    loop_prepare_init(&pool->turn, on_turn);
    pool->retry.data = pool->turn.data = pool;
    SLIST_INSERT_HEAD(&pools, pool, link);
    return pool;
}

/* --- ends -------------------------------------------------------------------------------- */

static const char *const fates[] = {"no job is lost with it", "its job ends with it",
                                    "its jobs end with it"};

void
serve_pool_lost(struct serve_pool *pool, struct serve_program *p, int in_hand)
{
    int64_t now = clock_mono_ms(), wait_ms;

    serve_pool_turn_soon(pool);
    if (p->fault == SERVE_NO_FAULT && p->drained && in_hand == 0) {
        log_debug("%s: has ended", p->name);
        return;
    }
    if (p->fault == SERVE_SACRIFICED) {
        log_info("%s: %s, %s", p->name, p->why, fates[in_hand < 2 ? in_hand : 2]);
        return;
    }
    wait_ms = plan_retry(pool, p->ready_mono != 0 ? now - p->ready_mono : 0);
    log_warn("%s: %s; %s, next start in %lld ms at the earliest", p->name, p->why,
             fates[in_hand < 2 ? in_hand : 2], (long long)wait_ms);
    if (p->last_ref == 0) {
        snprintf(pool->broken, sizeof(pool->broken), "%s", p->why);
        if (count(pool, is_of_use) == 0)
            end_waiting(pool, p);
    }
}

void
serve_pools_end(void)
{
    struct serve_program *p;
    struct serve_pool *pool;

    SLIST_FOREACH (pool, &pools, link) {
        pool->ended = true;
        TAILQ_FOREACH (p, &pool->programs, link)
            serve_program_close(p);
        serve_pool_turn_soon(pool);
    }
}
