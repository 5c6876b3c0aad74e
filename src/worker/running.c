/*
 * From a claimed job to the end of its handler.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/internal.h"

/* Claim nothing for this long when a handler cannot be started for lack of resources. */
#define NO_RESOURCES_PAUSE_MS 1000

static const char *
uuid_or_empty(struct arena *a, const struct uuid *u)
{
    char text[UUID_TEXT_SIZE];

    return uuid_is_zero(u) ? "" : arena_strdup(a, uuid_text(text, u));
}

struct task *
task_new(struct lane *lane, const struct claimed *job)
{
    struct worker *w = lane->worker;
    struct arena own;
    struct task *task;
    struct arena *a;

    arena_init(&own);
    task = arena_alloc(&own, sizeof(*task));
    task->run.arena = own;
    a = &task->run.arena;
    task->worker = w;
    task->lane = lane;
    task->token = job->token;
    task->tempfails = job->tempfails;
    task->claimed_mono_us = clock_mono_ns() / 1000;
    task->claimed_mono_ms = task->claimed_mono_us / 1000;
    task->waited_us = job->waited_us;
    task->tally_row = -1;
    task->ran_us = -1;
    task->percent = -1;
    task->finished.ran_ms = task->finished.exit_status = -1;
    task->run.owner = task;
    task->run.conf = w->conf;
    task->run.loop = w->loop;
    task->run.job = (struct job){
        .id = job->job_id,
        .token = job->token,
        .kind = arena_strdup(a, job->kind),
        .queue = arena_strdup(a, job->queue),
        .priority = job->priority,
        .attempt = job->attempt,
        .max_attempts = job->max_attempts,
        .batch_id = uuid_or_empty(a, &job->batch_id),
        .user_id = uuid_or_empty(a, &job->user_id),
        .origin = arena_strdup(a, w->origin),
        .payload = arena_memdup(a, job->payload, job->payload_len),
        .payload_len = job->payload_len,
    };
    return task;
}

void
task_free(struct task *task)
{
    struct arena own = task->run.arena;

    arena_release(&own);
}

void
task_move(struct task *task, struct task_list *to)
{
    struct worker *w = task->worker;

    struct lane *lane = task->lane;
    int waiting = (to == &lane->waiting) - (task->list == &lane->waiting);
    int running = (to == &w->running) - (task->list == &w->running);

    if (task->list != NULL)
        TAILQ_REMOVE(task->list, task, link);
    task->list = to;
    if (to != NULL)
        TAILQ_INSERT_TAIL(to, task, link);
    lane->n_waiting += (size_t)waiting;
    lane->n_running += (size_t)running;
    w->n_waiting += (size_t)waiting;
    w->n_running += (size_t)running;
}

struct task *
task_of(const struct run *run)
{
    return run->owner;
}

struct task *
running_find(struct worker *w, int64_t job_id)
{
    struct task *task;

    for (size_t i = 0; i < w->n_lists; i++) {
        if (w->lists[i] == &w->ended || w->lists[i] == &w->sent)
            continue;
        TAILQ_FOREACH (task, w->lists[i], link) {
            if (task->run.job.id == job_id)
                return task;
        }
    }
    return NULL;
}

static void
on_progress(struct run *run, float percent, const char *note)
{
    reporting_progress(run->owner, percent, note);
}

/* What an end means for the job.  Charged attempts are counted by pgcrew.finish(). */
static void
decide(struct task *task, const struct run_end *end)
{
    const struct handler_conf *handler = task->run.handler;
    struct finished *f = &task->finished;
    int attempt = task->run.job.attempt;

    switch (end->cause) {
    case RUN_OK:
        f->outcome = OUTCOME_SUCCEEDED;
        break;
    case RUN_PERMANENT:
        f->outcome = OUTCOME_FAILED;
        break;
    case RUN_CANCELLED:
        f->outcome = OUTCOME_CANCELLED;
        break;
    case RUN_STOPPED:
        f->outcome = OUTCOME_RELEASE;
        break;
    case RUN_NO_START:
        /* A broken installation is not the job's fault: it waits until it is mended. */
        f->outcome = OUTCOME_AGAIN;
        attempt = task->tempfails + 1;
        break;
    case RUN_TEMPFAIL:
        f->outcome = task->tempfails < handler->tempfail_max ? OUTCOME_AGAIN : OUTCOME_RETRY;
        attempt += task->tempfails;
        break;
    case RUN_SNOOZED:
        f->outcome = OUTCOME_AGAIN;
        break;
    case RUN_FAILED:
    case RUN_SIGNAL:
    case RUN_TIMEOUT:
    case RUN_OOM:
    case RUN_LIMIT:
    case RUN_PROTOCOL:
        f->outcome = OUTCOME_RETRY;
        break;
    case RUN_SETTLED:
        break; /* never comes here */
    }
    if (f->outcome != OUTCOME_RETRY && f->outcome != OUTCOME_AGAIN)
        return;
    f->wait_ms = end->wait_ms >= 0 ? end->wait_ms
                                   : backoff_full_jitter(backoff_for_attempt(
                                         handler->retry_first_ms, handler->retry_max_ms, attempt));
}

/* NULL: nothing is noted, as usual for an attempt that succeeded. */
static const char *
cause_to_note(const struct run *run, enum run_cause cause)
{
    if (cause != RUN_OK)
        return run_cause_name(cause);
    return run->handler->keep_attempts == CONF_KEEP_ALL ? "succeeded" : NULL;
}

static void
on_ended(struct run *run, const struct run_end *end)
{
    struct task *task = run->owner;
    struct worker *w = task->worker;

    fault_here("attempt.ends");
    handler_forget(run);
    pace_ended(&task->lane->pace, end->ran_ms);
    w->score.busy_ms += end->ran_ms;
    counting_ran(task, end->ran_ms);
    w->n_ended++;
    task->lane->wanted = true;
    worker_turn_soon(w);
    if (task->lost || end->cause == RUN_SETTLED) {
        w->lost_ended |= task->lost;
        task_move(task, NULL);
        task_free(task);
        return;
    }
    decide(task, end);
    task->finished.ran_ms = end->ran_ms;
    task->finished.result = end->result;
    task->finished.error = end->error;
    task->finished.cause = cause_to_note(run, end->cause);
    task->finished.exit_status = end->exit_status;
    task->finished.signal = end->signal;
    task->finished.stderr_tail = end->stderr_tail;
    task->finished.user_ms = end->user_ms;
    task->finished.system_ms = end->system_ms;
    task->finished.max_rss_bytes = end->max_rss_bytes;
    finishing_add(task);
    fault_here("attempt.ended");
}

static const struct run_events events = {.progress = on_progress, .ended = on_ended};

/* It did not even start. */
static void
could_not_start(struct task *task, const struct err *err)
{
    struct worker *w = task->worker;
    struct finished *f = &task->finished;
    const struct run_end end = RUN_END(RUN_NO_START);

    f->error = arena_strdup(&task->run.arena, err->text);
    if (err->class == ERR_RETRY) {
        log_job(LOG_LEVEL_WARN, task->run.job.id, task->run.job.kind,
                "%s; it goes back, claiming again in %d ms", err->text, NO_RESOURCES_PAUSE_MS);
        f->outcome = OUTCOME_RELEASE;
        worker_pause(w, NO_RESOURCES_PAUSE_MS);
    } else {
        f->cause = run_cause_name(RUN_NO_START);
        decide(task, &end);
    }
    finishing_add(task);
}

/* A payload from outside that is larger than this host was set up for: never again. */
static bool
is_too_large(struct task *task)
{
    struct worker *w = task->worker;
    struct finished *f = &task->finished;

    if (task->run.job.payload_len <= w->conf->payload_max)
        return false;
    f->outcome = OUTCOME_FAILED;
    f->cause = run_cause_name(RUN_PERMANENT);
    f->error =
        arena_printf(&task->run.arena, "the payload has %zu bytes, limits.payload allows %zu",
                     task->run.job.payload_len, w->conf->payload_max);
    finishing_add(task);
    return true;
}

static void
start(struct task *task)
{
    struct worker *w = task->worker;
    struct run *run = &task->run;
    struct err err;

    fault_here("attempt.starts");
    task_move(task, &w->running);
    counting_started(task);
    task->started_mono_ms = task->started_mono_us / 1000;
    run->handler = handler_for(w->conf, run->job.kind);
    run->events = &events;
    log_job(LOG_LEVEL_DEBUG, run->job.id, run->job.kind, "attempt %d of %d starts",
            run->job.attempt, run->job.max_attempts);
    if (run->handler == NULL) {
        /* The claim asks only for kinds that have one; a kind renamed meanwhile goes back. */
        task->finished.outcome = OUTCOME_RELEASE;
        finishing_add(task);
    } else if (!is_too_large(task) && !handler_start(run, &err)) {
        could_not_start(task, &err);
    }
    fault_here("attempt.started");
}

void
running_start(struct worker *w)
{
    struct task *task;

    LANE_FOREACH(lane, w)
    {
        while (w->holding == HOLDING && (task = TAILQ_FIRST(&lane->waiting)) != NULL &&
               lane_lets_start(lane, task) && !ev_is_active(&w->pause))
            start(task);
    }
}

static void
cancel_waiting(struct task *task)
{
    task->finished.outcome = OUTCOME_CANCELLED;
    finishing_add(task);
}

void
running_cancel(struct worker *w, int64_t job_id)
{
    struct task *task = running_find(w, job_id);

    if (task == NULL)
        return;
    log_job(LOG_LEVEL_INFO, job_id, task->run.job.kind, "cancelled on request");
    if (task->started_mono_ms == 0)
        cancel_waiting(task);
    else
        handler_stop(&task->run, RUN_CANCELLED);
    worker_turn_soon(w);
}

void
running_stop_all(struct worker *w)
{
    struct task *task, *next;

    for (task = TAILQ_FIRST(&w->running); task != NULL; task = next) {
        next = TAILQ_NEXT(task, link);
        handler_stop(&task->run, RUN_STOPPED);
    }
}

void
running_abandon_all(struct worker *w)
{
    struct task *task, *next;

    fault_here("lease.late");
    for (task = TAILQ_FIRST(&w->running); task != NULL; task = next) {
        next = TAILQ_NEXT(task, link);
        log_job(LOG_LEVEL_WARN, task->run.job.id, task->run.job.kind,
                "the lease could not be renewed in time; its handler is killed, the job goes back");
        handler_kill(&task->run, RUN_STOPPED);
    }
    claiming_give_back(w);
    fault_here("lease.left");
}

void
running_lose(struct task *task, const char *why)
{
    struct worker *w = task->worker;

    if (task->lost)
        return;
    if (task->unsure) {
        log_job(LOG_LEVEL_INFO, task->run.job.id, task->run.job.kind,
                "its end was written, or its claim taken away, while the session was lost");
        task_move(task, NULL);
        task_free(task);
        return;
    }
    counting_ended(task, NULL);
    log_job(LOG_LEVEL_WARN, task->run.job.id, task->run.job.kind,
            "%s; what this attempt did is dropped", why);
    if (task->list == &w->running) {
        task->lost = true;
        handler_kill(&task->run, RUN_STOPPED);
        return;
    }
    task_move(task, NULL);
    task_free(task);
}
