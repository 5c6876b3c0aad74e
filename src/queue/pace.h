/*
 * How many jobs to claim next time.
 *
 * Too few and the worker waits for PostgreSQL; too many and jobs lie here while
 * other workers are idle.  So: enough for claim_ahead_ms of work by the moving
 * average of what jobs took here, never less than the free slots.
 */
#ifndef PGCREW_QUEUE_PACE_H
#define PGCREW_QUEUE_PACE_H

#include "base/base.h"

struct pace {
    int64_t ahead_ms;
    int most;          /* claim_max */
    double average_ms; /* 0 until the first job has ended */
};

void pace_init(struct pace *p, int64_t ahead_ms, int most);
void pace_ended(struct pace *p, int64_t ran_ms);
/* For so many free slots of so many. */
int pace_want(const struct pace *p, int free_slots, int slots);

#endif
