#include "queue/marks.h"

#include <string.h>

void
marks_init(struct marks *m, struct arena *a, const char *const *queues, size_t n_queues)
{
    *m = (struct marks){
        .queues = queues,
        .n_queues = n_queues,
        .seqs = arena_alloc(a, n_queues * PRIORITIES * sizeof(int64_t)),
        .short_last = true,
    };
}

int64_t
marks_sweep_in_ms(const struct marks *m, int64_t now_ms)
{
    int64_t pause_ms = m->sweep_cost_ms * SWEEP_COST_FACTOR, left_ms;

    if (m->swept_mono_ms == 0)
        return 0;
    /* With the queue run short there is nothing to walk over, unless sweeps are dear. */
    if (!m->short_last && pause_ms < SWEEP_EVERY_MS)
        pause_ms = SWEEP_EVERY_MS;
    left_ms = m->swept_mono_ms + pause_ms - now_ms;
    return left_ms > 0 ? left_ms : 0;
}

bool
marks_sweep_is_due(const struct marks *m, int64_t now_ms)
{
    return marks_sweep_in_ms(m, now_ms) == 0;
}

struct places
marks_places(struct marks *m, struct arena *a, bool sweep)
{
    struct places p = {
        .n = m->n_queues * PRIORITIES,
        .queues = arena_alloc(a, m->n_queues * PRIORITIES * sizeof(char *)),
        .priorities = arena_alloc(a, m->n_queues * PRIORITIES * sizeof(int16_t)),
        .seqs = arena_alloc(a, m->n_queues * PRIORITIES * sizeof(int64_t)),
    };
    size_t at = 0;

    for (size_t i = 0; i < m->n_queues; i++) {
        size_t q = (m->turn + i) % m->n_queues;

        for (int priority = PRIORITIES - 1; priority >= 0; priority--) {
            p.queues[at] = m->queues[q];
            p.priorities[at] = (int16_t)priority;
            p.seqs[at] = sweep ? 0 : m->seqs[q * PRIORITIES + (size_t)priority];
            at++;
        }
    }
    /* No queue comes first every time: a full one must not starve the others. */
    m->turn = (m->turn + 1) % m->n_queues;
    return p;
}

void
marks_claimed(struct marks *m, const char *queue, int priority, int64_t seq)
{
    if (priority < 0 || priority >= PRIORITIES)
        return;
    for (size_t q = 0; q < m->n_queues; q++) {
        int64_t *mark = &m->seqs[q * PRIORITIES + (size_t)priority];

        if (strcmp(m->queues[q], queue) == 0 && seq > *mark)
            *mark = seq;
    }
}

void
marks_answered(struct marks *m, bool sweep, bool found_all, int64_t now_ms, int64_t cost_ms)
{
    m->short_last = !found_all;
    if (sweep) {
        m->swept_mono_ms = now_ms;
        m->sweep_cost_ms = cost_ms;
    }
}
