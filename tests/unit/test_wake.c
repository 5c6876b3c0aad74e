/* Who is woken: one at a time, everybody's turn, nothing forgotten. */
#include "supervisor/wake.h"

#include <unistd.h>

#include "base/clock.h"
#include "tap.h"

static int woken[100], n_woken;

static void
note(void *owner, int worker)
{
    (void)owner;
    if (n_woken < 100)
        woken[n_woken++] = worker;
}

static void
start(struct wake *w, int64_t poll_ms)
{
    n_woken = 0;
    wake_init(w, loop_get(), poll_ms, note, NULL);
}

static void
run_for(int64_t ms)
{
    int64_t until = clock_mono_ms() + ms;

    while (clock_mono_ms() < until) {
        ev_run(loop_get(), EVRUN_NOWAIT);
        usleep(1000);
    }
}

static void
test_one(void)
{
    struct wake w;

    start(&w, 100000);
    wake_idle(&w, 1);
    wake_idle(&w, 2);
    wake_idle(&w, 2);
    is_int(wake_n_idle(&w), 2, "who says twice that it is idle is idle once");
    is_int(n_woken, 0, "being idle wakes nobody");
    wake_one(&w);
    is_int(n_woken, 1, "one wake wakes one worker");
    wake_one(&w);
    ok(n_woken == 2 && woken[0] == 1 && woken[1] == 2, "the next wake is the next one's");
    wake_one(&w);
    is_int(woken[2], 1, "one that found nothing is still there for the third");
    wake_busy(&w, 1);
    wake_one(&w);
    wake_one(&w);
    ok(woken[3] == 2 && woken[4] == 2, "one that found work is not woken");
    wake_release(&w);
}

static void
test_remembered(void)
{
    struct wake w;

    start(&w, 100000);
    wake_one(&w);
    wake_one(&w);
    is_int(n_woken, 0, "with nobody idle nobody is woken");
    wake_idle(&w, 7);
    ok(n_woken == 1 && woken[0] == 7, "but the next who is idle is");
    wake_idle(&w, 7);
    is_int(n_woken, 1, "and when that finds nothing all is quiet");
    wake_busy(&w, 7);
    wake_one(&w);
    wake_busy(&w, 8);
    wake_idle(&w, 8);
    ok(n_woken == 2 && woken[1] == 8, "one that was never idle can be gone");
    wake_release(&w);
}

static void
test_news(void)
{
    struct wake w;

    start(&w, 100000);
    wake_idle(&w, 1);
    wake_idle(&w, 2);
    wake_news(&w);
    is_int(n_woken, 1, "news wake one at once");
    run_for(30);
    is_int(n_woken, 1, "and nobody");
    run_for(60);
    is_int(n_woken, 2, "until a little later, for what became visible late");
    run_for(100);
    is_int(n_woken, 2, "then it is over");
    wake_release(&w);
}

static void
test_poll(void)
{
    struct wake w;

    start(&w, 20);
    run_for(50);
    is_int(n_woken, 0, "polling wakes only who is idle");
    wake_idle(&w, 3);
    is_int(n_woken, 0, "a poll that found nobody is not remembered");
    run_for(100);
    ok(n_woken >= 3 && n_woken <= 5, "every interval one is woken (%d times)", n_woken);
    wake_set_poll(&w, 100000);
    n_woken = 0;
    run_for(60);
    is_int(n_woken, 0, "a new interval counts at once");
    wake_release(&w);
}

static void
test_looked(void)
{
    struct wake w;

    start(&w, 200);
    wake_idle(&w, 1);
    wake_idle(&w, 2);
    for (int i = 0; i < 10; i++) {
        wake_looked(&w, false);
        run_for(50);
    }
    is_int(n_woken, 0, "while the janitor looks and finds nothing nobody is woken");
    ok(wake_n_idle(&w) == 2, "they are still there");
    wake_looked(&w, true);
    ok(n_woken == 1 && woken[0] == 1, "when it finds something one is, at once");
    wake_looked(&w, true);
    ok(n_woken == 2 && woken[1] == 2, "and then the next");
    for (int i = 0; i < 200 && n_woken < 4; i++)
        run_for(50);
    ok(n_woken >= 4, "when it looks no more they poll for themselves");
    wake_busy(&w, 1);
    wake_busy(&w, 2);
    n_woken = 0;
    wake_looked(&w, true);
    wake_idle(&w, 1);
    is_int(n_woken, 0, "what it found while all had work is not remembered");
    wake_release(&w);
}

static void
test_many(void)
{
    struct wake w;
    int seen[1025] = {0}, missing = 0;

    start(&w, 100000);
    for (int i = 1; i <= 1024; i++)
        wake_idle(&w, i);
    for (int i = 0; i < 1024; i++) {
        n_woken = 0;
        wake_one(&w);
        seen[woken[0]]++;
        if (i % 2 == 0)
            wake_busy(&w, woken[0]);
    }
    for (int i = 1; i <= 1024; i++)
        missing += seen[i] != 1;
    is_int(missing, 0, "1024 wakes are a turn for each of 1024 workers");
    is_int(wake_n_idle(&w), 512, "who found work is not idle any more");
    wake_release(&w);
}

int
main(void)
{
    test_one();
    test_remembered();
    test_news();
    test_poll();
    test_looked();
    test_many();
    return done_testing();
}
