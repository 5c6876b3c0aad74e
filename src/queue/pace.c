#include "queue/pace.h"

/* Weight of the newest job: about the last ten count. */
#define NEWEST 0.2
/* A job that took no measurable time counts as this. */
#define SHORTEST_MS 0.1

void
pace_init(struct pace *p, int64_t ahead_ms, int most)
{
    *p = (struct pace){.ahead_ms = ahead_ms, .most = most};
}

void
pace_ended(struct pace *p, int64_t ran_ms)
{
    double ms = ran_ms > 0 ? (double)ran_ms : SHORTEST_MS;

    p->average_ms = p->average_ms > 0 ? (1 - NEWEST) * p->average_ms + NEWEST * ms : ms;
}

int
pace_want(const struct pace *p, int free_slots, int slots)
{
    double ahead;
    int want = free_slots;

    if (free_slots <= 0)
        return 0;
    if (p->average_ms > 0) {
        ahead = (double)p->ahead_ms * slots / p->average_ms + 0.5;
        if (ahead > (double)want)
            want = ahead < (double)p->most ? (int)ahead : p->most;
    }
    return want < p->most ? want : p->most;
}
