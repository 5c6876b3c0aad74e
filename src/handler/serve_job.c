/*
 * One job in a pool of programs: it waits, is sent, and ends.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "handler/env.h"
#include "handler/serve.h"
#include "handler/verdict.h"

static void on_time_over(struct ev_loop *loop, ev_timer *w, int events);

void
serve_job_wait(struct serve_pool *pool, struct run *run)
{
    struct serve_job *job = arena_alloc(&run->arena, sizeof(*job));

    job->run = run;
    job->pool = pool;
    loop_timer_init(&job->timer, on_time_over);
    job->timer.data = job;
    run->way = job;
    TAILQ_INSERT_TAIL(&pool->waiting, job, link);
    pool->n_waiting++;
    serve_pool_turn_soon(pool);
}

void
serve_job_send(struct serve_job *job, struct serve_program *p)
{
    const struct run *run = job->run;
    char trace[ENV_TRACE_SIZE];

    serve_hear_printed(p, p->n_jobs + 1);
    TAILQ_REMOVE(&job->pool->waiting, job, link);
    job->pool->n_waiting--;
    TAILQ_INSERT_TAIL(&p->jobs, job, link);
    p->n_jobs++;
    job->program = p;
    job->ref = ++p->last_ref;
    job->sent_mono = clock_mono_ms();
    complaint_refill(&p->complaint);
    if (p->n_jobs == 1)
        complaint_forget(&p->complaint); /* it was about others */
    env_traceparent(trace);
    serve_put_job(&p->out, job->ref, &run->job, run->handler->timeout_ms, trace);
    loop_timer_in(run->loop, &job->timer, run->handler->timeout_ms);
}

struct serve_job *
serve_job_find(const struct serve_program *p, int64_t ref)
{
    struct serve_job *job;

    TAILQ_FOREACH (job, &p->jobs, link) {
        if (job->ref == ref)
            return job;
    }
    return NULL;
}

/* --- its end --------------------------------------------------------------------------------- */

struct complaint *
serve_job_complaint(struct serve_job *job)
{
    struct run *run = job->run;
    const struct conf *conf = run->conf;

    if (job->complaint == NULL) {
        job->complaint = arena_alloc(&run->arena, sizeof(*job->complaint));
        complaint_init(
            job->complaint,
            arena_printf(&run->arena, "job %" PRId64 " (%s)", run->job.id, run->job.kind),
            conf->log_line_max, conf->stderr_tail, &run->arena);
    }
    return job->complaint;
}

static void
leave_list(struct serve_job *job)
{
    if (job->program != NULL) {
        TAILQ_REMOVE(&job->program->jobs, job, link);
        job->program->n_jobs--;
    } else {
        TAILQ_REMOVE(&job->pool->waiting, job, link);
        job->pool->n_waiting--;
    }
    job->program = NULL;
}

void
serve_job_end(struct serve_job *job, struct run_end *end)
{
    struct run *run = job->run;

    leave_list(job);
    ev_timer_stop(run->loop, &job->timer);
    job->over = true;
    if (job->asked) {
        end->cause = job->cause;
        end->error = verdict_asked_error(run, job->cause);
        end->result = NULL;
        end->wait_ms = -1;
    }
    end->ran_ms = job->sent_mono != 0 ? clock_mono_ms() - job->sent_mono : 0;
    if (job->complaint != NULL) {
        complaint_end(job->complaint);
        if (end->stderr_tail == NULL)
            end->stderr_tail = complaint_tail(job->complaint, &run->arena);
        complaint_release(job->complaint);
    }
    run->events->ended(run, end); /* the run may be gone now */
}

/* --- ending it early ------------------------------------------------------------------------- */

static bool
ask(struct serve_job *job, enum run_cause cause)
{
    if (job->over || job->asked)
        return false;
    job->asked = true;
    job->cause = cause;
    return true;
}

void
serve_job_stop(struct serve_job *job, enum run_cause cause)
{
    struct serve_program *p = job->program;

    if (!ask(job, cause))
        return;
    if (p != NULL && p->state < SERVE_ENDING) {
        serve_put_cancel(&p->out, job->ref, run_cause_name(cause));
        loop_timer_in(job->run->loop, &job->timer, job->run->conf->grace_ms);
    }
    serve_pool_turn_soon(job->pool);
}

void
serve_job_kill(struct serve_job *job, enum run_cause cause)
{
    ask(job, cause);
    if (job->over)
        return;
    if (job->program != NULL)
        serve_program_kill(job->program, SERVE_SACRIFICED, "was killed: job %" PRId64 " must end",
                           job->run->job.id);
    serve_pool_turn_soon(job->pool);
}

static void
on_time_over(struct ev_loop *loop, ev_timer *w, int events)
{
    struct serve_job *job = w->data;
    struct serve_program *p = job->program;
    int64_t ref = job->ref;

    (void)loop;
    (void)events;
    if (p->state >= SERVE_ENDING)
        return;
    /* When this process was held up, the answer may lie there already. */
    serve_hear_all(p);
    if (p->state >= SERVE_ENDING || serve_job_find(p, ref) == NULL)
        return;
    if (job->asked)
        serve_program_kill(p, SERVE_SACRIFICED,
                           "was killed: job %" PRId64 " did not end when it was asked to",
                           job->run->job.id);
    else
        serve_job_stop(job, RUN_TIMEOUT);
}
