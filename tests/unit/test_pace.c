/* How many jobs to claim next time. */
#include "queue/pace.h"
#include "tap.h"

int
main(void)
{
    struct pace p;

    pace_init(&p, 50, 500);
    is_int(pace_want(&p, 1, 1), 1, "nothing is known: one job a free slot");
    is_int(pace_want(&p, 4, 4), 4, "four free slots take four");
    is_int(pace_want(&p, 0, 4), 0, "no free slot takes nothing");
    for (int i = 0; i < 100; i++)
        pace_ended(&p, 2);
    is_int(pace_want(&p, 1, 1), 25, "2 ms jobs: 50 ms worth of them");
    for (int i = 0; i < 100; i++)
        pace_ended(&p, 0);
    is_int(pace_want(&p, 1, 1), 500, "jobs of no time: at most claim_max");
    for (int i = 0; i < 100; i++)
        pace_ended(&p, 60000);
    is_int(pace_want(&p, 1, 1), 1, "long jobs: one");
    is_int(pace_want(&p, 3, 8), 3, "long jobs: never less than the free slots");
    pace_init(&p, 50, 2);
    is_int(pace_want(&p, 8, 8), 2, "claim_max holds for slots too");
    return done_testing();
}
