/*
 * A worker does not live for ever: what leaks in it, ours or a module's, goes with
 * it.  It drains, the supervisor starts another one.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "base/text.h"
#include "worker/internal.h"

/* Workers forked together shall not go together: up to a tenth later. */
static int64_t
own_age_ms(const struct worker *w)
{
    int64_t tenth_ms = w->conf->recycle_age_ms / 10;

    return w->conf->recycle_age_ms + tenth_ms * w->child->process.bytes[0] / 256;
}

void
recycling_check_jobs(struct worker *w)
{
    const char *spoiled = handler_spoiled();
    char why[80];

    if (w->ending != ENDING_NOT)
        return;
    if (spoiled != NULL) {
        worker_drain(w, spoiled);
    } else if (w->conf->recycle_jobs > 0 && w->n_ended >= (uint64_t)w->conf->recycle_jobs) {
        snprintf(why, sizeof(why), "recycling after %llu jobs", (unsigned long long)w->n_ended);
        worker_drain(w, why);
    }
}

void
recycling_check_age(struct worker *w)
{
    const struct conf *conf = w->conf;
    char text[32], why[80];
    int64_t bytes;

    if (w->ending != ENDING_NOT)
        return;
    if (conf->recycle_age_ms > 0 && clock_mono_ms() - w->started_mono_ms > own_age_ms(w)) {
        snprintf(why, sizeof(why), "recycling after %s",
                 text_ago(text, clock_mono_ms() - w->started_mono_ms));
        worker_drain(w, why);
        return;
    }
    bytes = conf->recycle_memory > 0 ? proc_anon_bytes(getpid()) : 0;
    if (bytes > (int64_t)conf->recycle_memory) {
        snprintf(why, sizeof(why), "recycling at %lld KiB of memory", (long long)bytes / 1024);
        worker_drain(w, why);
    }
}
