#include "base/backoff.h"

#include <sys/random.h>

int64_t
backoff_failed(struct backoff *b, int64_t worked_ms)
{
    int64_t wait_ms;

    if (worked_ms >= b->healthy_ms || b->next_ms == 0)
        b->next_ms = b->first_ms;
    wait_ms = b->next_ms;
    b->next_ms = wait_ms > b->max_ms / 2 ? b->max_ms : wait_ms * 2;
    return wait_ms;
}

void
backoff_reset(struct backoff *b)
{
    b->next_ms = 0;
}

static int64_t
random_up_to(int64_t max)
{
    uint64_t r = 0;

    if (max <= 0)
        return 0;
    if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != (ssize_t)sizeof(r))
        return max / 2;
    return (int64_t)(r % ((uint64_t)max + 1));
}

int64_t
backoff_jitter(int64_t ms)
{
    return ms - random_up_to(ms / 2);
}

int64_t
backoff_full_jitter(int64_t ms)
{
    return random_up_to(ms);
}

int64_t
backoff_for_attempt(int64_t first_ms, int64_t max_ms, int attempt)
{
    int64_t wait_ms = first_ms;

    for (int i = 1; i < attempt && wait_ms < max_ms; i++)
        wait_ms = wait_ms > max_ms / 2 ? max_ms : wait_ms * 2;
    return wait_ms < max_ms ? wait_ms : max_ms;
}
