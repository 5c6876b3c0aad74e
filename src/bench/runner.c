/*
 * The runner: round after round, each section once a round, so that what else the machine
 * does meets all of them.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/internal.h"

static void
say(int to_keeper, const struct said *said)
{
    ssize_t n = write(to_keeper, said, sizeof(*said)); /* less than PIPE_BUF: at once */

    (void)n; /* a keeper that is gone takes the runner along */
}

void
bench_say_failed(int to_keeper, const struct err *err)
{
    struct said said;

    memset(&said, 0, sizeof(said));
    said.what = SAID_FAILED;
    said.err = *err;
    say(to_keeper, &said);
}

void
bench_sample(const struct bench *b, enum figure figure, double value)
{
    struct said said;

    memset(&said, 0, sizeof(said));
    said.what = SAID_SAMPLE;
    said.round = b->round;
    said.figure = figure;
    said.value = value;
    say(b->to_keeper, &said);
}

static void
say_step(const struct bench *b, enum section section)
{
    struct said said;

    memset(&said, 0, sizeof(said));
    said.what = SAID_STEP;
    said.round = b->round;
    said.section = section;
    say(b->to_keeper, &said);
}

void
pause_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

bool
bench_need_session(struct bench *b, struct err *err)
{
    return b->db != NULL || bench_open(b->conf, &b->db, err);
}

void
bench_drop_session(struct bench *b)
{
    session_close(b->db);
    b->db = NULL;
}

static bool
run_round(struct bench *b, struct err *err)
{
    for (unsigned i = 0; i < SECTIONS; i++) {
        if (!(b->plan->sections & 1U << i))
            continue;
        say_step(b, i);
        if (!bench_need_session(b, err) || !section_runs[i](b, err))
            return err_before(err, "%s", section_name(i));
    }
    return true;
}

int
runner_main(const struct conf *conf, const struct plan *plan, int to_keeper)
{
    struct bench b = {.conf = conf, .plan = plan, .to_keeper = to_keeper};
    struct err err = {0};
    bool good = true;

    for (b.round = 0; b.round < plan->rounds && good; b.round++)
        good = run_round(&b, &err);
    bench_drop_session(&b);
    if (!good)
        bench_say_failed(to_keeper, &err);
    return good ? 0 : 1;
}
