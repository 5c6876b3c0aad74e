/*
 * The command: what is asked for, then look, make, measure, remove, show.
 *
 * From the moment when the schema is made, signals are taken only while the runner is waited
 * for: whatever comes, the schema is removed.
 */
#include "bench/bench.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/internal.h"
#include "cli/out.h"

#define JOBS_DEFAULT 50000
#define JOBS_MAX 10000000
#define WORKERS_MAX 64
#define ROUNDS_DEFAULT 3

const struct cli_option bench_options[] = {
    {.name = "jobs", .value = "N", .help = "so many jobs in the greatest sections; 50000 without"},
    {.name = "workers", .value = "N", .help = "so many workers; without, as worker.count says"},
    {.name = "rounds",
     .value = "N",
     .help = "each figure is the median of so many tries; 3 without"},
    {.name = "sections",
     .value = "LIST",
     .help = "only these, by commas: enqueue, drain, single, life, latency"},
    {.name = NULL},
};

/* --- the plan ------------------------------------------------------------------------------ */

int64_t
plan_part(const struct plan *plan, int64_t part, int64_t least, int64_t most)
{
    int64_t n = plan->jobs / part;

    return n < least ? least : n > most ? most : n;
}

int64_t
plan_single(const struct plan *plan)
{
    return plan_part(plan, 10, 10, 20000);
}

int64_t
plan_calls(const struct plan *plan)
{
    return plan_part(plan, 25, 10, 10000);
}

int64_t
plan_samples(const struct plan *plan)
{
    return plan_part(plan, 200, 10, 250);
}

int
plan_steps(const struct plan *plan)
{
    return plan->rounds * __builtin_popcount(plan->sections);
}

static bool
read_sections(struct cli *cli, const struct args *args, unsigned *ret)
{
    const char *text = args_value(args, "sections");
    char bad[32];

    *ret = (1U << SECTIONS) - 1;
    if (text == NULL || sections_parse(text, ret, bad))
        return true;
    cli_failf(cli, CLI_USAGE,
              "--sections: there is no section '%s'; there are enqueue, drain, single, life and "
              "latency",
              bad);
    return false;
}

static bool
read_plan(struct cli *cli, const struct args *args, struct plan *ret)
{
    const struct conf *conf = cli_conf(cli);
    int64_t workers, rounds;

    if (conf == NULL || !cli_int(cli, args, "jobs", 1, JOBS_MAX, JOBS_DEFAULT, &ret->jobs) ||
        !cli_int(cli, args, "workers", 1, WORKERS_MAX,
                 conf->workers < WORKERS_MAX ? conf->workers : WORKERS_MAX, &workers) ||
        !cli_int(cli, args, "rounds", 1, ROUNDS_MAX, ROUNDS_DEFAULT, &rounds))
        return false;
    ret->workers = (int)workers;
    ret->rounds = (int)rounds;
    return read_sections(cli, args, &ret->sections);
}

/* --- while the runner runs ----------------------------------------------------------------- */

static volatile sig_atomic_t caught; /* the signal that came, 0: none */

static void
on_signal(int number)
{
    caught = number;
}

/* Block what would end us, and let it only set a flag; before is how it was. */
static void
hold_signals(sigset_t *ret_before)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t ours;

    sigemptyset(&ours);
    for (size_t i = 0; i < LENGTH(numbers); i++) {
        sigaddset(&ours, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &ours, ret_before);
}

/* Die of it as if we had never held it: the caller sees what he did. */
static void
die_of(int number, const sigset_t *before)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    fflush(NULL);
    sigaction(number, &action, NULL);
    sigprocmask(SIG_SETMASK, before, NULL);
    raise(number);
}

struct hearing {
    struct cli *cli;
    const struct plan *plan;
    struct samples *samples;
    int steps;
    struct err failed; /* the first failure */
};

static void
take(struct hearing *h, const struct said *said)
{
    switch (said->what) {
    case SAID_STEP:
        show_step(h->cli, h->plan, h->steps++, said);
        break;
    case SAID_SAMPLE:
        samples_add(h->samples, said->figure, said->round, said->value);
        break;
    case SAID_FAILED:
        if (h->failed.class == ERR_NONE)
            h->failed = said->err;
        break;
    }
}

/* Until the runner has ended or a signal came. */
static void
hear(struct hearing *h, int fd, const sigset_t *while_waiting)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    struct said said;

    while (caught == 0) {
        if (ppoll(&ready, 1, NULL, while_waiting) < 0 && errno == EINTR)
            continue;
        if (read(fd, &said, sizeof(said)) != (ssize_t)sizeof(said))
            return;
        take(h, &said);
    }
}

static bool
measure(struct hearing *h, struct runner *runner, const struct home *home,
        const sigset_t *while_waiting, struct err *err)
{
    int64_t expected = plan_steps(h->plan);

    runner_go(runner, json_is_true(json_object_get(home->facts, "may_read_wal")));
    hear(h, runner->heard, while_waiting);
    show_steps_over();
    if (h->failed.class != ERR_NONE) {
        *err = h->failed;
        return false;
    }
    if (caught != 0)
        return err_set(err, ERR_RETRY, "interrupted: the schema " BENCH_SCHEMA " is removed");
    if (h->steps < expected)
        return err_set(err, ERR_PERMANENT, "the process that measures was killed");
    return true;
}

static enum cli_exit
say_left_behind(struct cli *cli, struct err *err)
{
    err_before(err, "the schema " BENCH_SCHEMA " is left behind, the next run removes it");
    return cli_fail(cli, CLI_NOT_DONE, err);
}

/* Make, measure, remove; the runner is ended on the way. */
static enum cli_exit
keep(struct cli *cli, const struct plan *plan, struct home *home, struct runner *runner)
{
    AUTO(mem) struct samples *samples = xcalloc(1, sizeof(*samples));
    struct hearing h = {.cli = cli, .plan = plan, .samples = samples};
    struct err err = {0}, left = {0};
    sigset_t before;
    bool good;

    show_intent(plan, home);
    hold_signals(&before);
    if (!home_make(home, &err)) {
        runner_end(runner);
        return caught != 0 ? (die_of(caught, &before), CLI_NOT_DONE) : cli_fail_database(cli, &err);
    }
    good = measure(&h, runner, home, &before, &err);
    runner_end(runner);
    if (!good)
        cli_fail(cli, CLI_NOT_DONE, &err);
    if (!home_remove(cli, home, &left))
        return say_left_behind(cli, &left);
    if (good)
        show_figures(cli, plan, home, samples);
    if (caught != 0)
        die_of(caught, &before);
    return good ? CLI_DONE : CLI_NOT_DONE;
}

enum cli_exit
bench_run(struct cli *cli, const struct args *args)
{
    struct plan plan = {0};
    struct runner runner;
    struct home home;
    enum cli_exit status;
    struct err err = {0};

    if (!read_plan(cli, args, &plan))
        return cli->status;
    if (!runner_start(cli->conf, &plan, &runner, &err))
        return cli_fail(cli, CLI_NOT_DONE, &err);
    if (home_look(cli, &plan, &home)) {
        status = keep(cli, &plan, &home, &runner);
    } else {
        runner_end(&runner);
        status = cli->status;
    }
    json_decref(home.facts);
    return status;
}
