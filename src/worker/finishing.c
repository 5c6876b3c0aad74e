/*
 * Telling the database how jobs have ended.
 *
 * Ended tasks are gathered and sent together: at once when there is nothing to
 * start any more, else at the latest after claim_ahead.  Each claim is its own
 * call, because the claim is the fence.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "worker/internal.h"

#define ERROR_PAUSE_MS 1000

static void
on_flush(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    worker_turn_soon(timer->data);
}

void
finishing_init(struct worker *w)
{
    loop_timer_init(&w->flush, on_flush);
    w->flush.data = w;
}

void
finishing_add(struct task *task)
{
    struct worker *w = task->worker;

    task->finished.job_id = task->run.job.id;
    task_move(task, &w->ended);
    if (!ev_is_active(&w->flush))
        loop_timer_in(w->loop, &w->flush, w->conf->claim_ahead_ms);
    worker_turn_soon(w);
}

bool
finishing_is_due(const struct worker *w)
{
    if (TAILQ_EMPTY(&w->ended) || !TAILQ_EMPTY(&w->sent))
        return false;
    return lanes_have_room(w) || !loop_timer_runs(&w->flush);
}

static void
log_answer(const struct task *task, const struct finish_answer *a)
{
    const struct finished *f = &task->finished;
    const char *why = f->error != NULL ? f->error : f->cause != NULL ? f->cause : "";
    char wait[32];

    if (f->outcome == OUTCOME_SUCCEEDED || f->outcome == OUTCOME_CANCELLED ||
        f->outcome == OUTCOME_RELEASE)
        log_job(LOG_LEVEL_DEBUG, a->job_id, task->run.job.kind, "%s", a->status);
    else if (a->wait_ms >= 0)
        log_job(LOG_LEVEL_WARN, a->job_id, task->run.job.kind, "%s, attempt %d of %d, again in %s",
                why, task->run.job.attempt, a->max_attempts, text_ago(wait, a->wait_ms));
    else if (strcmp(a->status, "queued") == 0)
        log_job(LOG_LEVEL_WARN, a->job_id, task->run.job.kind,
                "%s, attempt %d of %d, again at once", why, task->run.job.attempt, a->max_attempts);
    else
        log_job(LOG_LEVEL_WARN, a->job_id, task->run.job.kind,
                "%s, attempt %d of %d, now %s for good", why, task->run.job.attempt,
                a->max_attempts, a->status);
}

void
finishing_settled(struct task *task, const struct finish_answer *answer)
{
    task->finished.outcome = OUTCOME_SUCCEEDED;
    log_answer(task, answer);
    counting_ended(task, answer->status);
}

static struct task *
find_sent(struct worker *w, int64_t job_id)
{
    struct task *task;

    TAILQ_FOREACH (task, &w->sent, link) {
        if (task->run.job.id == job_id)
            return task;
    }
    return NULL;
}

/* A finish call of one claim is in flight. */
struct call {
    struct worker *worker;
    int64_t token;
};

static void
settle(struct task *task, const struct finish_answer *a)
{
    log_answer(task, a);
    counting_ended(task, a->status);
    task_move(task, NULL);
    task_free(task);
}

/* What the answer does not name has succeeded. */
static void
accepted(struct worker *w, int64_t token, const PGresult *res)
{
    struct task *task, *next;
    struct finish_answer a;

    for (int row = 0; row < PQntuples(res); row++) {
        queue_read_finish(res, row, &a);
        task = find_sent(w, a.job_id);
        if (task != NULL && a.status != NULL)
            settle(task, &a);
        else if (task != NULL)
            running_lose(task, "its claim had been taken away before it ended");
    }
    for (task = TAILQ_FIRST(&w->sent); task != NULL; task = next) {
        next = TAILQ_NEXT(task, link);
        a = (struct finish_answer){
            .job_id = task->run.job.id, .status = "succeeded", .wait_ms = -1};
        if (task->token == token)
            settle(task, &a);
    }
}

/*
 * PostgreSQL refuses a value: find the job by sending each alone, then send that
 * one without what its handler said.
 */
static void
suspect(struct task *task, const struct err *err)
{
    struct finished *f = &task->finished;

    if (!task->alone || task->stripped) {
        task->alone = true;
        return;
    }
    log_job(LOG_LEVEL_WARN, task->run.job.id, task->run.job.kind,
            "its result was refused: %s; it ends without one", err->text);
    f->result = NULL;
    f->stderr_tail = NULL;
    f->error = f->outcome == OUTCOME_SUCCEEDED ? NULL : "the error text was refused by PostgreSQL";
    task->stripped = true;
}

static void
refused(struct worker *w, int64_t token, const struct err *err)
{
    struct task *task, *next;
    bool hopeless = err->class != ERR_PERMANENT;

    w->score.db_errors++;
    for (task = TAILQ_FIRST(&w->sent); task != NULL; task = next) {
        next = TAILQ_NEXT(task, link);
        if (task->token != token)
            continue;
        hopeless |= task->stripped;
        if (err->class == ERR_PERMANENT)
            suspect(task, err);
        task->unsure |= err->class == ERR_UNCERTAIN;
        task_move(task, &w->ended);
    }
    if (err->class == ERR_UNCERTAIN || !hopeless)
        return;
    log_warn("cannot finish jobs: %s, trying again in %d ms", err->text, ERROR_PAUSE_MS);
    loop_timer_in(w->loop, &w->flush, ERROR_PAUSE_MS);
    worker_pause(w, ERROR_PAUSE_MS);
    if (err->class == ERR_CONFIG)
        db_restart(w->db, ERR_CONFIG, err->text);
}

static void
on_finish(void *arg, const PGresult *res, const struct err *err)
{
    struct call *call = arg;
    struct worker *w = call->worker;

    if (res != NULL)
        accepted(w, call->token, res);
    else
        refused(w, call->token, err);
    free(call);
    worker_turn_soon(w);
}

/* Everything of one claim that may travel together. */
static void
ask_claim_of(struct worker *w, struct task *first)
{
    AUTO(mem) struct finished *jobs = NULL;
    struct call *call = xmalloc(sizeof(*call));
    struct task *task, *next;
    int64_t token = first->token;
    bool alone = first->alone;
    size_t n = 0, room = 0;

    *call = (struct call){.worker = w, .token = token};
    for (task = first; task != NULL; task = next) {
        next = TAILQ_NEXT(task, link);
        if (task->token != token || (task != first && (alone || task->alone)))
            continue;
        if (n == room) {
            room = room > 0 ? room * 2 : 16;
            jobs = xrealloc(jobs, room * sizeof(*jobs));
        }
        jobs[n++] = task->finished;
        task_move(task, &w->sent);
    }
    queue_ask_finish(w->db, w->holder, token, jobs, n, on_finish, call);
}

/* One suspect a round: a refusal must not take others of its claim along. */
static bool
is_suspect(const struct worker *w)
{
    const struct task *task = TAILQ_FIRST(&w->ended);

    return task != NULL && task->alone;
}

void
finishing_ask(struct worker *w)
{
    ev_timer_stop(w->loop, &w->flush);
    if (is_suspect(w)) {
        ask_claim_of(w, TAILQ_FIRST(&w->ended));
        return;
    }
    while (!TAILQ_EMPTY(&w->ended) && !is_suspect(w))
        ask_claim_of(w, TAILQ_FIRST(&w->ended));
}
