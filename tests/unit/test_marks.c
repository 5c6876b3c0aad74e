/* The low watermark: where a claim looks, and when it looks everywhere. */
#include "queue/marks.h"
#include "tap.h"

static const char *const queues[] = {"mail", "thumbs"};
static const int64_t numbers[] = {3, 8};

static void
is_range(const struct places *p, size_t i, int64_t first, int64_t behind, const char *what)
{
    ok(i < p->n && p->first[i] == first && p->last[i] == behind - 1, "%s", what);
}

static void
test_places(void)
{
    struct arena a;
    struct marks m;
    struct places p;

    arena_init(&a);
    marks_init(&m, &a, queues, 2);
    marks_number(&m, numbers);
    marks_claimed(&m, "mail", 0, 90, true);
    marks_claimed(&m, "mail", 0, 100, true);
    marks_claimed(&m, "mail", 5, 50, true);
    marks_claimed(&m, "thumbs", 9, 7, true);
    marks_claimed(&m, "unknown", 0, 5, true);
    marks_claimed(&m, "mail", 77, 5, true);
    p = marks_places(&m, &a, false);
    is_int(p.n, 4, "a range from each mark on, and what comes before the first");
    is_range(&p, 0, PLACE(3, 0, 0), PLACE(3, 4, 0), "priorities without a mark are one range");
    is_range(&p, 1, PLACE(3, 4, 50), PLACE(3, 9, 0),
             "a range ends where the next mark's priority begins");
    is_range(&p, 2, PLACE(3, 9, 100), PLACE(3, 10, 0),
             "the last ends with the queue; its mark is where the claim ended");
    is_range(&p, 3, PLACE(8, 0, 7), PLACE(8, 10, 0),
             "nothing comes before a mark of the highest priority");
    p = marks_places(&m, &a, false);
    is_range(&p, 0, PLACE(8, 0, 7), PLACE(8, 10, 0), "the next time another queue comes first");
    p = marks_places(&m, &a, true);
    is_int(p.n, 2, "a sweep has one range a queue");
    is_range(&p, 0, PLACE(3, 0, 0), PLACE(3, 10, 0), "all of it");
    marks_claimed(&m, "mail", 0, 30, true);
    p = marks_places(&m, &a, false);
    is_range(&p, 3, PLACE(3, 9, 30), PLACE(3, 10, 0),
             "after a full claim of early jobs more of them are looked for");
    marks_claimed(&m, "mail", 0, 20, false);
    p = marks_places(&m, &a, false);
    is_range(&p, 2, PLACE(3, 9, 30), PLACE(3, 10, 0),
             "but when the queue was seen to its end, a mark does not go back");
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
