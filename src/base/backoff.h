/*
 * How long to wait after a failure: doubles from first to max, is forgiven
 * after a healthy time.  Jitter is separate, so that the curve can be tested.
 */
#ifndef PGCREW_BASE_BACKOFF_H
#define PGCREW_BASE_BACKOFF_H

#include "base/base.h"

struct backoff {
    int64_t first_ms;
    int64_t max_ms;
    int64_t healthy_ms; /* one success of this length resets it */
    int64_t next_ms;    /* 0 means first_ms */
};

/* The wait after a failure that came after worked_ms of health. */
int64_t backoff_failed(struct backoff *b, int64_t worked_ms);
void backoff_reset(struct backoff *b);

/* A random part of ms, between half of it and all of it. */
int64_t backoff_jitter(int64_t ms);
/* Full jitter: anything between 0 and ms (retries of jobs). */
int64_t backoff_full_jitter(int64_t ms);
/* first doubled for each attempt before this one, at most max; attempt counts from 1. */
int64_t backoff_for_attempt(int64_t first_ms, int64_t max_ms, int attempt);

#endif
