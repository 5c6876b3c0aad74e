/*
 * Telling the database what runs and how far it is.
 *
 * A job that is over within SEEN_RUNNING_MS is never written as running: nobody
 * polls faster, and it saves a third of the writes.  Progress is coalesced: at
 * most one write a job and REPORT_EVERY_MS, all jobs of this worker in one call.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "worker/internal.h"

#define SEEN_RUNNING_MS 100
#define REPORT_EVERY_MS 500

static int64_t
due_ms(const struct task *task)
{
    if (task->lost)
        return INT64_MAX;
    if (task->reported_mono_ms == 0)
        return task->started_mono_ms + SEEN_RUNNING_MS;
    return task->progressed ? task->reported_mono_ms + REPORT_EVERY_MS : INT64_MAX;
}

/*
 * The job of a SQL function may just have been settled over the other session; that answer
 * will tell, as it does when the claim is gone.
 */
static bool
is_settled_elsewhere(const struct task *task)
{
    return task->run.handler->way == CONF_SQL;
}

static void
on_report(void *arg, const PGresult *res, const struct err *err)
{
    struct worker *w = arg;

    w->report_asked = false;
    if (err != NULL && err->class != ERR_UNCERTAIN)
        log_warn("cannot write progress: %s; the jobs go on", err->text);
    for (int row = 0; res != NULL && row < PQntuples(res); row++) {
        struct task *task = running_find(w, queue_read_report(res, row));

        if (task != NULL && !is_settled_elsewhere(task))
            running_lose(task, "its claim has been taken away");
    }
    worker_turn_soon(w);
}

static void
report_now(struct worker *w)
{
    AUTO(mem) struct progress *jobs = xcalloc(w->n_running, sizeof(*jobs));
    int64_t now_ms = clock_mono_ms();
    struct task *task;
    size_t n = 0;

    TAILQ_FOREACH (task, &w->running, link) {
        if (due_ms(task) > now_ms)
            continue;
        jobs[n++] = (struct progress){
            .token = task->token,
            .job_id = task->run.job.id,
            .ran_ms = now_ms - task->started_mono_ms,
            .percent = task->percent,
            .note = task->note[0] != '\0' ? task->note : NULL,
        };
        task->reported_mono_ms = now_ms;
        task->progressed = false;
    }
    if (n == 0)
        return;
    w->report_asked = true;
    queue_ask_report(w->db, w->holder, jobs, n, on_report, w);
    worker_commit(w);
}

static void
on_due(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;

    (void)loop;
    (void)events;
    if (w->holding == HOLDING && !w->report_asked)
        report_now(w);
    reporting_plan(w);
}

void
reporting_init(struct worker *w)
{
    loop_timer_init(&w->report, on_due);
    w->report.data = w;
}

void
reporting_plan(struct worker *w)
{
    int64_t first_ms = INT64_MAX, now_ms = clock_mono_ms();
    const struct task *task;

    ev_timer_stop(w->loop, &w->report);
    if (w->holding != HOLDING || w->report_asked)
        return;
    TAILQ_FOREACH (task, &w->running, link) {
        if (due_ms(task) < first_ms)
            first_ms = due_ms(task);
    }
    if (first_ms != INT64_MAX)
        loop_timer_in(w->loop, &w->report, first_ms > now_ms ? first_ms - now_ms : 1);
}

void
reporting_progress(struct task *task, float percent, const char *note)
{
    if (percent >= 0)
        task->percent = percent;
    if (note != NULL)
        snprintf(task->note, sizeof(task->note), "%s", note);
    if (!task->progressed) {
        task->progressed = true;
        reporting_plan(task->worker);
    }
}
