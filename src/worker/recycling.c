/*
 * A worker does not live for ever: what leaks in it, ours or a module's, goes with
 * it.  It drains, the supervisor starts another one.
 */
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "base/text.h"
#include "worker/internal.h"

#define MEASURE_EVERY_MS 1000
#define KEPT_BYTES (16 << 20)
#define REST_AFTER_JOBS 1000

/* Workers forked together shall not go together: up to a tenth later. */
static int64_t
own_age_ms(const struct worker *w)
{
    int64_t tenth_ms = w->conf->recycle_age_ms / 10;

    return w->conf->recycle_age_ms + tenth_ms * w->child->process.bytes[0] / 256;
}

static void
drain_when_worn(struct worker *w)
{
    const char *spoiled = handler_spoiled();
    char why[80];

    if (spoiled != NULL) {
        worker_drain(w, spoiled);
    } else if (w->conf->recycle_jobs > 0 && w->n_ended >= (uint64_t)w->conf->recycle_jobs) {
        snprintf(why, sizeof(why), "recycling after %llu jobs", (unsigned long long)w->n_ended);
        worker_drain(w, why);
    }
}

/* Memory grows by what runs: after the last turn it is measured once more, then not again. */
void
recycling_check(struct worker *w)
{
    if (w->ending != ENDING_NOT)
        return;
    drain_when_worn(w);
    if (w->conf->recycle_memory > 0 && !ev_is_active(&w->measure))
        loop_timer_in(w->loop, &w->measure, MEASURE_EVERY_MS);
}

static void
on_measure(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;
    int64_t bytes = proc_anon_bytes(getpid());
    char why[80];

    (void)events;
    if (bytes > (int64_t)w->conf->recycle_memory) {
        snprintf(why, sizeof(why), "recycling at %lld KiB of memory", (long long)bytes / 1024);
        worker_drain(w, why);
    } else if (w->n_running > 0) {
        loop_timer_in(loop, timer, MEASURE_EVERY_MS);
    }
}

static void
on_age(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct worker *w = timer->data;
    char text[32], why[80];

    (void)loop;
    (void)events;
    snprintf(why, sizeof(why), "recycling after %s",
             text_ago(text, clock_mono_ms() - w->started_mono_ms));
    worker_drain(w, why);
}

/*
 * What a claim took in memory the next one takes, too: had the kernel got it back in between,
 * each page would come anew, as a fault.  A worker at rest gives it back.
 */
void
recycling_rest(struct worker *w)
{
    if (w->n_ended - w->n_ended_at_rest < REST_AFTER_JOBS)
        return;
    w->n_ended_at_rest = w->n_ended;
    malloc_trim(0);
}

void
recycling_init(struct worker *w)
{
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
    loop_timer_init(&w->age, on_age);
    loop_timer_init(&w->measure, on_measure);
    w->age.data = w->measure.data = w;
    if (w->conf->recycle_age_ms > 0)
        loop_timer_in(w->loop, &w->age, own_age_ms(w));
}
