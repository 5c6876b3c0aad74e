/*
 * How many jobs a second go through one pool of programs, without a database:
 *
 *     make tests/bench/serve_rate && tests/bench/serve_rate JOBS SLOTS PROGRAMS IN_FLIGHT PROGRAM [ARG]...
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "../unit/trial.h"
#include "base/clock.h"

static struct trial model; /* its configuration is that of all jobs */
static long wanted, started, ended, failed;

static void start_one(void);

static void
on_progress(struct run *run, float percent, const char *note)
{
    (void)run;
    (void)percent;
    (void)note;
}

static void
on_ended(struct run *run, const struct run_end *end)
{
    ended++;
    failed += end->cause != RUN_OK;
    handler_forget(run);
    arena_release(&run->arena);
    free(run);
    if (started < wanted)
        start_one();
}

/* As the worker does it: the payload is copied, everything is in the run's arena. */
static void
start_one(void)
{
    static const struct run_events events = {.progress = on_progress, .ended = on_ended};
    struct run *run = xcalloc(1, sizeof(*run));
    struct err err;

    *run = model.run;
    arena_init(&run->arena);
    run->job.payload = arena_strdup(&run->arena, "{\"path\": \"a.jpg\"}");
    run->job.payload_len = strlen(run->job.payload);
    run->events = &events;
    started++;
    if (!handler_start(run, &err)) {
        printf("%s\n", err.text);
        exit(1);
    }
}

static bool
is_done(void *unused)
{
    (void)unused;
    return ended == wanted;
}

static bool
is_alone(void *unused)
{
    (void)unused;
    return child_processes() == 0;
}

static double
cpu_s(int who)
{
    struct rusage used;

    getrusage(who, &used);
    return (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

int
main(int argc, char **argv)
{
    int64_t start;
    double s;

    if (argc < 6)
        return 2;
    trials_begin();
    trial_init(&model, "");
    model.handler.way = CONF_SERVE;
    model.handler.programs = atoi(argv[3]);
    model.handler.in_flight = atoi(argv[4]);
    model.handler.answer_ms = 10000;
    model.handler.program = argv[5];
    model.handler.argv = (const char *const *)(argv + 5);
    model.conf.payload_max = 1 << 20;
    model.run.handler = &model.handler;
    model.run.conf = &model.conf;
    start = clock_mono_ns();
    wanted = atol(argv[1]);
    while (started < wanted && started < atol(argv[2]))
        start_one();
    while (!is_done(NULL))
        ev_run(loop_get(), EVRUN_ONCE);
    s = 1e-9 * (double)(clock_mono_ns() - start);
    printf("%ld jobs, %ld failed, %.2f s, %.0f jobs/s, %.1f us CPU each here\n", ended, failed, s,
           (double)ended / s, 1e6 * cpu_s(RUSAGE_SELF) / (double)ended);
    handler_end();
    trial_until(is_alone, NULL, 5000);
    trials_end();
    return failed > 0;
}
