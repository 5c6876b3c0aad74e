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
    marks_claimed(&m, "mail", 0, 100);
    marks_claimed(&m, "mail", 0, 90);
    marks_claimed(&m, "thumbs", 9, 7);
    marks_claimed(&m, "unknown", 0, 5);
    marks_claimed(&m, "mail", 77, 5);
    p = marks_places(&m, &a, false);
    is_int(p.n, 20, "every queue and priority is a place");
    is_str(p.queues[0], "mail", "the first queue comes first");
    is_int(p.priorities[0], 9, "the highest priority comes first");
    is_int(p.seqs[9], 100, "the highest seq of a place is its mark, not the last");
    is_int(p.seqs[0], 0, "a place never claimed from has no mark");
    p = marks_places(&m, &a, false);
    is_str(p.queues[0], "thumbs", "the next time another queue comes first");
    is_int(p.seqs[0], 7, "marks stay with their place");
    p = marks_places(&m, &a, true);
    is_int(p.seqs[9] + p.seqs[19], 0, "a sweep looks from the start");
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
