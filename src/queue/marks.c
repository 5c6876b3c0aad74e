#include "queue/marks.h"

#include <string.h>

void
marks_init(struct marks *m, struct arena *a, const char *const *queues, size_t n_queues)
{
    *m = (struct marks){
        .queues = queues,
        .n_queues = n_queues,
        .numbers = arena_alloc(a, n_queues * sizeof(int64_t)),
        .ids = arena_alloc(a, n_queues * PRIORITIES * sizeof(int64_t)),
        .short_last = true,
    };
}

void
marks_number(struct marks *m, const int64_t *numbers)
{
    memcpy(m->numbers, numbers, m->n_queues * sizeof(int64_t));
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

/* From there to the end of the queue, if nothing cuts it short. */
static void
add_range(struct places *p, int64_t number, int rank, int64_t id)
{
    p->first[p->n] = PLACE(number, rank, id);
    p->last[p->n] = PLACE(number, PRIORITIES, 0) - 1;
    p->n++;
}

/* A range begins at the head of the queue, and at each mark, where the one before ends. */
static void
add_queue(struct places *p, int64_t number, const int64_t *marks)
{
    if (marks == NULL || marks[0] == 0)
        add_range(p, number, 0, 0);
    for (int rank = 0; marks != NULL && rank < PRIORITIES; rank++) {
        if (marks[rank] == 0)
            continue;
        if (rank > 0)
            p->last[p->n - 1] = PLACE(number, rank, 0) - 1;
        add_range(p, number, rank, marks[rank]);
    }
}

struct places
marks_places(struct marks *m, struct arena *a, bool sweep)
{
    size_t most = m->n_queues * (PRIORITIES + 1);
    struct places p = {
        .first = arena_alloc(a, most * sizeof(int64_t)),
        .last = arena_alloc(a, most * sizeof(int64_t)),
    };

    for (size_t i = 0; i < m->n_queues; i++) {
        size_t q = (m->turn + i) % m->n_queues;

        add_queue(&p, m->numbers[q], sweep ? NULL : &m->ids[q * PRIORITIES]);
    }
    /* No queue comes first every time: a full one must not starve the others. */
    if (++m->turn >= m->n_queues)
        m->turn = 0;
    return p;
}

void
marks_claimed(struct marks *m, const char *queue, int priority, int64_t id, bool found_all)
{
    if (priority < 0 || priority >= PRIORITIES)
        return;
    for (size_t q = 0; q < m->n_queues; q++) {
        int64_t *mark = &m->ids[q * PRIORITIES + (size_t)(PRIORITIES - 1 - priority)];

        if (strcmp(m->queues[q], queue) == 0 && (found_all || id > *mark))
            *mark = id;
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
