/*
 * What this worker counts, for metrics: on its score, which the supervisor adds up, and by
 * queue and kind in its tally.  A few additions a job, and no call of the system.
 */
#include <string.h>

#include "base/clock.h"
#include "worker/internal.h"

static int
row_of(struct task *task)
{
    const struct job *job = &task->run.job;
    const struct handler_conf *h;

    if (task->tally_row >= 0)
        return task->tally_row;
    h = conf_handler(task->worker->conf, job->kind);
    task->tally_row = tally_row(task->worker->tally, job->queue, job->kind,
                                h != NULL && strcmp(h->kind, job->kind) == 0);
    return task->tally_row;
}

void
counting_started(struct task *task)
{
    task->started_mono_us = clock_mono_ns() / 1000;
    tally_time(task->worker->tally, row_of(task), TALLY_WAIT,
               task->waited_us + task->started_mono_us - task->claimed_mono_us);
}

/* Our own clock is finer, but a way may have begun later than it was asked to. */
void
counting_ran(struct task *task, int64_t ran_ms)
{
    int64_t us = clock_mono_ns() / 1000 - task->started_mono_us;

    task->ran_us = us < (ran_ms + 1) * 1000 ? us : ran_ms * 1000;
}

static enum tally_counter
outcome_of(struct worker *w, const struct task *task, const char *status)
{
    if (status == NULL)
        return w->score.stale++, TALLY_STALE;
    if (task->finished.outcome == OUTCOME_RELEASE)
        return w->score.released++, TALLY_RELEASED;
    if (strcmp(status, "succeeded") == 0)
        return w->score.succeeded++, TALLY_SUCCEEDED;
    if (strcmp(status, "failed") == 0)
        return w->score.failed++, TALLY_FAILED;
    if (strcmp(status, "cancelled") == 0)
        return w->score.cancelled++, TALLY_CANCELLED;
    return w->score.retried++, TALLY_RETRIED;
}

void
counting_ended(struct task *task, const char *status)
{
    struct worker *w = task->worker;
    const struct finished *f = &task->finished;
    enum tally_counter outcome = outcome_of(w, task, status);
    int row = row_of(task);

    tally_add(w->tally, row, outcome, 1);
    if (task->ran_us >= 0 && outcome != TALLY_STALE && outcome != TALLY_RELEASED)
        tally_time(w->tally, row, TALLY_RUN, task->ran_us);
    if (f->user_ms + f->system_ms > 0)
        tally_add(w->tally, row, TALLY_CPU_US, (uint64_t)(f->user_ms + f->system_ms) * 1000);
}
