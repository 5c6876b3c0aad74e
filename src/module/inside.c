/*
 * What a function of a module sees, and what it may ask for.  Runs in its thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/conf.h"
#include "module/module.h"

static struct inside *
inside_of(struct pgcrew_job *job)
{
    return (struct inside *)(void *)((char *)job - offsetof(struct inside, job));
}

static void *
call_alloc(struct pgcrew_job *job, size_t size)
{
    return arena_alloc(&inside_of(job)->arena, size);
}

static void
call_progress(struct pgcrew_job *job, double percent, const char *note)
{
    struct progress said = {.percent = -1};

    if (percent >= 0)
        said.percent = percent <= 100 ? (float)percent : 100;
    if (note != NULL)
        progress_note(&said, note, strlen(note));
    module_thread_say(inside_of(job), &said);
}

static void PRINTF_LIKE(2, 0) call_log(struct pgcrew_job *job, const char *format, va_list args)
{
    struct inside *x = inside_of(job);
    AUTO(mem) char *text = xmalloc(x->conf->log_line_max + 1);

    if (!x->has_logged)
        complaint_init(&x->complaint, &x->facts, NULL, x->conf->log_line_max, x->conf->stderr_tail,
                       &x->arena);
    x->has_logged = true;
    vsnprintf(text, x->conf->log_line_max, format, args);
    complaint_add(&x->complaint, text, strlen(text));
    complaint_add(&x->complaint, "\n", 1);
}

static void
call_result(struct pgcrew_job *job, const char *text, size_t len)
{
    result_add(&inside_of(job)->output, text, len);
}

static void
call_error(struct pgcrew_job *job, const char *text)
{
    struct inside *x = inside_of(job);
    char line[512];

    text_printable(line, sizeof(line), text, strlen(text));
    x->error = arena_strdup(&x->arena, line);
}

static void
call_wait(struct pgcrew_job *job, int64_t wait_ms)
{
    inside_of(job)->wait_ms = wait_ms > 0 ? wait_ms : 0;
}

static bool
call_cancelled(struct pgcrew_job *job)
{
    return atomic_load_explicit(&inside_of(job)->cancelled, memory_order_relaxed);
}

static const struct pgcrew_calls calls = {
    .alloc = call_alloc,
    .progress = call_progress,
    .log = call_log,
    .result = call_result,
    .error = call_error,
    .wait = call_wait,
    .cancelled = call_cancelled,
};

struct inside *
inside_new(struct run *run, pgcrew_run *function)
{
    struct inside *x = arena_alloc(&run->arena, sizeof(*x));
    const struct job *job = &run->job;

    x->run = run;
    x->function = function;
    x->conf = run->conf;
    x->facts = *job;
    x->wait_ms = -1;
    x->output.max_bytes = run->conf->result_max;
    x->job = (struct pgcrew_job){
        .id = job->id,
        .token = job->token,
        .kind = job->kind,
        .queue = job->queue,
        .attempt = job->attempt,
        .max_attempts = job->max_attempts,
        .batch_id = job->batch_id,
        .user_id = job->user_id,
        .payload = job->payload,
        .payload_len = job->payload_len,
        .timeout_ms = run->handler->timeout_ms,
        .calls = &calls,
    };
    arena_init(&x->arena);
    return x;
}

void
inside_ask(struct inside *x)
{
    x->asked = true;
    atomic_store_explicit(&x->cancelled, true, memory_order_relaxed);
}

void
inside_run(struct inside *x)
{
    x->said = x->function(&x->job);
    x->ended_mono_ms = clock_mono_ms();
    if (x->said == PGCREW_DONE && x->output.total_bytes > 0)
        x->result = result_json(&x->output, &x->arena);
    if (x->has_logged) {
        complaint_end(&x->complaint);
        x->stderr_tail = complaint_tail(&x->complaint, &x->arena);
    }
}

void
inside_release(struct inside *x)
{
    result_release(&x->output);
    complaint_release(&x->complaint);
    arena_release(&x->arena);
}
