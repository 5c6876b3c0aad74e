/* The low watermark: where a claim looks, and when it looks everywhere. */
#include "queue/marks.h"
#include "tap.h"

static const char *const queues[] = {"mail", "thumbs"};

static void
test_places(void)
{
    struct arena a;
    struct marks m;
    struct places p;

    arena_init(&a);
    marks_init(&m, &a, queues, 2);
    marks_claimed(&m, "mail", 0, 90, true);
    marks_claimed(&m, "mail", 0, 100, true);
    marks_claimed(&m, "mail", 5, 50, true);
    marks_claimed(&m, "thumbs", 9, 7, true);
    marks_claimed(&m, "unknown", 0, 5, true);
    marks_claimed(&m, "mail", 77, 5, true);
    p = marks_places(&m, &a, false);
    is_int(p.n, 4, "a place for each mark, and for what comes before the first");
    is_str(p.queues[0], "mail", "the first queue comes first");
    is_int(p.ranks[0] * 10 + p.last_ranks[0], 3, "priorities without a mark are one place");
    is_int(p.ids[0], 0, "which has none");
    is_int(p.ranks[1] * 10 + p.last_ranks[1], 48, "a place ends where the next mark is");
    is_int(p.ids[1], 50, "and begins at its own");
    is_int(p.ranks[2] * 10 + p.last_ranks[2], 99, "the last ends with the queue");
    is_int(p.ids[2], 100, "the mark is where the claim ended");
    is_int(p.ranks[3] * 10 + p.last_ranks[3], 9,
           "a mark of the highest priority has nothing before it");
    p = marks_places(&m, &a, false);
    is_str(p.queues[0], "thumbs", "the next time another queue comes first");
    is_int(p.ids[0], 7, "marks stay with their place");
    p = marks_places(&m, &a, true);
    is_int(p.n, 2, "a sweep has one place a queue");
    is_int(p.ranks[0] * 10 + p.last_ranks[0] + (int)p.ids[0], 9, "from the start to the end");
    marks_claimed(&m, "mail", 0, 30, true);
    p = marks_places(&m, &a, false);
    is_int(p.ids[3], 30, "after a full claim of early jobs more of them are looked for");
    marks_claimed(&m, "mail", 0, 20, false);
    p = marks_places(&m, &a, false);
    is_int(p.ids[2], 30, "but when the queue was seen to its end, a mark does not go back");
    arena_release(&a);
}

static void
test_sweeps(void)
{
    struct arena a;
    struct marks m;

    arena_init(&a);
    marks_init(&m, &a, queues, 2);
    ok(marks_sweep_is_due(&m, 5), "the first claim sweeps");
    marks_answered(&m, true, true, 1000, 2);
    ok(!marks_sweep_is_due(&m, 1500), "a full queue is not swept all the time");
    ok(marks_sweep_is_due(&m, 2000), "but once a second");
    marks_answered(&m, true, true, 2000, 200);
    ok(!marks_sweep_is_due(&m, 5000), "a dear sweep pauses twenty times its cost");
    ok(marks_sweep_is_due(&m, 6000), "and no longer");
    marks_answered(&m, false, false, 6100, 1);
    marks_answered(&m, true, false, 6200, 1);
    ok(!marks_sweep_is_due(&m, 6210), "a short queue keeps to the pause too");
    is_int(marks_sweep_in_ms(&m, 6210), 10, "the time left is told");
    ok(marks_sweep_is_due(&m, 6220), "and is swept again much sooner than after a second");
    arena_release(&a);
}

int
main(void)
{
    test_places();
    test_sweeps();
    return done_testing();
}
