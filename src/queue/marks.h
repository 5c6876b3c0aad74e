/*
 * The low watermark: from which job on to look for jobs.
 *
 * A claim that starts at the head of the queue walks over the dead index
 * entries of everything claimed before, and one forgotten transaction keeps
 * those for ever.  So a worker remembers, per queue and priority, where its
 * last claim ended and starts there.  That is a hint, not a promise: a job can
 * be committed late, given back or fall due below the mark.  A sweep, which
 * looks from the very start, finds it.
 */
#ifndef PGCREW_QUEUE_MARKS_H
#define PGCREW_QUEUE_MARKS_H

#include "base/arena.h"
#include "base/base.h"

#define PRIORITIES 10 /* 0..9, 9 is claimed first: rank 0 */
#define SWEEP_EVERY_MS 1000
#define SWEEP_COST_FACTOR 20 /* sweeps take at most a twentieth of the time */

/* Where a job stands, as pgcrew.place() has it: number of its queue, rank, id. */
#define PLACE(number, rank, id) ((int64_t)(number) << 48 | (int64_t)(rank) << 44 | (id))

struct marks {
    const char *const *queues;
    size_t n_queues;
    int64_t *numbers; /* of the queues, as the database has them */
    int64_t *ids;     /* n_queues x PRIORITIES, by rank; 0: no mark */
    size_t turn;      /* the queue looked at first; moves on with every claim */
    int64_t swept_mono_ms;
    int64_t sweep_cost_ms;
    bool short_last; /* the last claim found less than it asked for */
};

/*
 * Where to look, in order: two parallel arrays of n places, from the one to the other.
 * Ranks without a mark need no range of their own.
 */
struct places {
    size_t n;
    int64_t *first, *last;
};

/* queues must outlive the marks; memory comes from a. */
void marks_init(struct marks *m, struct arena *a, const char *const *queues, size_t n_queues);
/* The numbers of the queues, in their order: before the first claim of a session. */
void marks_number(struct marks *m, const int64_t *numbers);

/* Should the next claim be a sweep?  now_ms is monotonic. */
bool marks_sweep_is_due(const struct marks *m, int64_t now_ms);
/* How long until it should; 0: now. */
int64_t marks_sweep_in_ms(const struct marks *m, int64_t now_ms);

/* The places of the next claim; memory comes from a. */
struct places marks_places(struct marks *m, struct arena *a, bool sweep);

/*
 * A job of this queue, priority and id was claimed.  found_all: the claim found all it
 * asked for, so more may follow this job; else the end of the queue was seen, and a mark
 * does not go back.
 */
void marks_claimed(struct marks *m, const char *queue, int priority, int64_t id, bool found_all);

/* A claim is over: did it sweep, did it find all it asked for, and how long did it take? */
void marks_answered(struct marks *m, bool sweep, bool found_all, int64_t now_ms, int64_t cost_ms);

#endif
