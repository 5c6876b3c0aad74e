/* Programs for many jobs: real ones (serve_program.c), real guards, the real loop. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "tap.h"
#include "trial.h"

#define MANY 64

/* One handler: its pool lives from the first job to scene_end(). */
struct scene {
    struct conf conf;
    struct handler_conf handler;
    const char *argv[12], *envp[3];
};

static char program[4096];

static void
find_program(void)
{
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 100);

    program[len > 0 ? len : 0] = '\0';
    strcpy(strrchr(program, '/') + 1, "serve_program");
}

/* args: words for the program, separated by blanks. */
static struct scene *
scene_new(const char *args)
{
    static struct arena arena; /* handlers stay: a pool is known by its handler's place */
    struct scene *s = arena_alloc(&arena, sizeof(*s));
    char *word = strtok(arena_strdup(&arena, args), " ");
    struct trial t;

    trial_init(&t, "");
    s->conf = t.conf;
    s->conf.payload_max = 1 << 20;
    s->handler = t.handler;
    s->handler.way = CONF_SERVE;
    s->handler.program = program;
    s->handler.argv = s->argv;
    s->handler.programs = 1;
    s->handler.in_flight = 1;
    s->handler.answer_ms = 5000;
    s->argv[0] = "serve_program";
    for (size_t i = 1; word != NULL && i < LENGTH(s->argv) - 1; i++) {
        s->argv[i] = word;
        word = strtok(NULL, " ");
    }
    s->envp[0] = t.envp[0];
    s->handler.envp = s->envp;
    return s;
}

static bool
has_no_children(void *unused)
{
    (void)unused;
    return child_processes() == 0;
}

static bool
scene_end(void)
{
    handler_end();
    return trial_until(has_no_children, NULL, 10000);
}

static void
job_init(struct trial *t, struct scene *s, const char *payload)
{
    trial_init(t, "");
    t->run.handler = &s->handler;
    t->run.conf = &s->conf;
    t->run.job.payload = payload;
    t->run.job.payload_len = strlen(payload);
}

static void
job_start(struct trial *t, struct scene *s, const char *payload)
{
    job_init(t, s, payload);
    trial_start(t);
}

static void
job_run(struct trial *t, struct scene *s, const char *payload)
{
    job_start(t, s, payload);
    trial_wait(t);
}

/* A job that says its program's pid. */
static int
pid_of_program(struct scene *s)
{
    struct trial t;
    int pid;

    job_run(&t, s, "pid");
    pid = t.end.result != NULL ? atoi(t.end.result) : 0;
    trial_release(&t);
    return pid;
}

static bool
has_progressed(void *trial)
{
    return ((struct trial *)trial)->n_progress > 0;
}

/* Starts a job that is held by its program, and waits until it is. */
static void
job_hold(struct trial *t, struct scene *s, const char *payload)
{
    job_start(t, s, payload);
    if (!trial_until(has_progressed, t, 10000))
        printf("# the job did not reach its program\n");
}

/* --- ends ------------------------------------------------------------------------------ */

static void
test_ends(void)
{
    /* clang-format off */
    static const struct {
        const char *payload;
        enum run_cause cause;
        int wait_ms;
        const char *result, *error;
    } rows[] = {
        {"echo {\"a\": [1, 2.50]}",  RUN_OK,        -1,   "{\"a\": [1, 2.50]}", NULL},
        {"echo text, not JSON",      RUN_OK,        -1,   "\"text, not JSON\"", NULL},
        {"echo \xff",                RUN_OK,        -1,   "\"?\"",              NULL},
        {"nothing",                  RUN_OK,        -1,   NULL,                 NULL},
        {"split \"byte by byte\"",   RUN_OK,        -1,   "\"byte by byte\"",   NULL},
        {"fail no such user",        RUN_FAILED,    -1,   NULL, "no such user"},
        {"fail a\nb\xff",            RUN_FAILED,    -1,   NULL, "a\\x0ab\\xff"},
        {"fail",                     RUN_FAILED,    -1,   NULL, "failed without an error text"},
        {"never that is no address", RUN_PERMANENT, -1,   NULL, "that is no address"},
        {"snooze 5000",              RUN_SNOOZED,   5000, NULL, "not now"},
        {"snooze -1",                RUN_SNOOZED,   -1,   NULL, "not now"},
        {"retry 70",                 RUN_FAILED,    70,   NULL, "again"},
    };
    /* clang-format on */
    struct scene *s = scene_new("");
    int pid = pid_of_program(s);
    struct trial t;

    for (size_t i = 0; i < LENGTH(rows); i++) {
        job_run(&t, s, rows[i].payload);
        is_int(t.end.cause, rows[i].cause, "'%s' has the right cause", rows[i].payload);
        is_str(t.end.result, rows[i].result, "its result");
        is_str(t.end.error, rows[i].error, "its error");
        is_int(t.end.wait_ms, rows[i].wait_ms, "its wait");
        is_int(t.n_ended, 1, "and ended once");
        trial_release(&t);
    }
    is_int(pid_of_program(s), pid, "all of them were done by one program");
    is_int(child_processes(), 1, "which has one guard");
    s->conf.result_max = 100;
    job_run(&t, s, "long 1000");
    is_int(t.end.cause, RUN_OK, "a result above limits.result is no failure");
    has_str(t.end.result, "{\"pgcrew_truncated\": true, \"bytes\": 1000, ", "it is cut");
    trial_release(&t);
    ok(scene_end(), "a program ends when it is drained");
}

static void
test_late_and_double(void)
{
    struct scene *s = scene_new("in_flight=4");
    int pid = pid_of_program(s);
    struct trial t;

    job_run(&t, s, "twice 1");
    is_str(t.end.result, "1", "the first answer counts");
    is_int(t.n_progress, 0, "progress after it does not");
    trial_release(&t);
    is_int(pid_of_program(s), pid, "saying more about an ended job is no error");
    scene_end();
}

static void
test_progress(void)
{
    static const struct {
        const char *payload;
        float percent;
        const char *note;
    } rows[] = {
        {"progress 42.5 resizing", 42.5F, " resizing"},
        {"progress 0", 0, ""},
        {"progress -7", 0, ""},
        {"progress 1e9", 100, ""},
        {"progress nan", -1, ""},
        {"unsure still looking", -1, "still looking"},
    };
    struct scene *s = scene_new("");
    struct trial t;

    for (size_t i = 0; i < LENGTH(rows); i++) {
        job_run(&t, s, rows[i].payload);
        is_int(t.n_progress, 1, "'%s' is heard", rows[i].payload);
        is_int(t.percent * 10, rows[i].percent * 10, "its number");
        is_str(t.note, rows[i].note, "its note");
        trial_release(&t);
    }
    {
        char payload[600];

        snprintf(payload, sizeof(payload), "unsure %0*d\xff", 199, 0);
        job_run(&t, s, payload);
        is_int(strlen(t.note), 200, "a note is cut");
        is_int(t.note[199], '?', "and storable");
        trial_release(&t);
    }
    scene_end();
}

/* --- many at once ------------------------------------------------------------------------ */

static void
test_in_flight(void)
{
    struct scene *s = scene_new("in_flight=10");
    struct trial t[6];

    s->handler.in_flight = 4;
    for (int i = 0; i < 4; i++)
        job_start(&t[i], s, i < 3 ? "hold" : "release");
    for (int i = 0; i < 4; i++)
        trial_wait(&t[i]);
    is_str(t[0].end.result, "1", "several jobs are in one program at once");
    is_str(t[2].end.result, "3", "and are answered in any order");
    is_int(child_processes(), 1, "by one program");
    for (int i = 0; i < 4; i++)
        trial_release(&t[i]);

    for (int i = 0; i < 4; i++)
        job_hold(&t[i], s, "hold");
    job_start(&t[4], s, "release");
    is_int(t[4].ended, false, "the fifth waits: the configuration allows four");
    handler_stop(&t[3].run, RUN_CANCELLED);
    trial_wait(&t[4]);
    is_int(t[4].end.cause, RUN_OK, "until there is room");
    is_int(t[3].end.cause, RUN_CANCELLED, "made by one that was cancelled");
    for (int i = 0; i < 5; i++)
        trial_release(&t[i]);
    scene_end();

    s = scene_new("in_flight=1");
    s->handler.in_flight = 4;
    job_hold(&t[0], s, "hold");
    job_start(&t[1], s, "release");
    handler_stop(&t[0].run, RUN_STOPPED);
    trial_wait(&t[1]);
    ok(t[0].ended, "what the program says counts if it is less");
    trial_release(&t[0]);
    trial_release(&t[1]);
    scene_end();
}

static void
test_programs(void)
{
    struct scene *s = scene_new("");
    struct trial t[3];

    s->handler.programs = 3;
    pid_of_program(s);
    pid_of_program(s);
    is_int(child_processes(), 1, "a program that is free is used again");
    for (int i = 0; i < 3; i++)
        job_hold(&t[i], s, "hold");
    is_int(child_processes(), 3, "when all are full another is started");
    for (int i = 0; i < 3; i++)
        handler_stop(&t[i].run, RUN_STOPPED);
    for (int i = 0; i < 3; i++) {
        trial_wait(&t[i]);
        trial_release(&t[i]);
    }
    scene_end();
}

static void
test_large_payloads(void)
{
    static char payload[1 << 20];
    struct scene *s = scene_new("in_flight=8");
    struct trial t[8];
    int done = 0;

    memset(payload, ' ', sizeof(payload) - 1);
    memcpy(payload, "nothing", 7);
    s->handler.in_flight = 8;
    for (int i = 0; i < 8; i++)
        job_start(&t[i], s, payload);
    for (int i = 0; i < 8; i++) {
        trial_wait(&t[i]);
        done += t[i].end.cause == RUN_OK;
        trial_release(&t[i]);
    }
    is_int(done, 8, "8 payloads of 1 MiB at once get through");
    s->conf.result_max = 2 << 20;
    job_run(&t[0], s, "long 2000000");
    is_int(t[0].end.result != NULL ? strlen(t[0].end.result) : 0, 2000002, "so does a long result");
    trial_release(&t[0]);
    scene_end();
}

/* --- ending a job early ------------------------------------------------------------------ */

static void
test_stop(void)
{
    struct scene *s = scene_new("in_flight=2");
    struct trial t, other, third;
    int pid = pid_of_program(s);

    s->handler.in_flight = 2;
    scene_end();
    s = scene_new("in_flight=2");
    s->handler.in_flight = 2;
    pid = pid_of_program(s);
    job_hold(&t, s, "hold");
    handler_stop(&t.run, RUN_CANCELLED);
    handler_stop(&t.run, RUN_STOPPED);
    trial_wait(&t);
    is_int(t.end.cause, RUN_CANCELLED, "a job can be cancelled, the first cause counts");
    is_str(t.end.error, "was cancelled while it ran", "and the error says why");
    is_str(t.end.result, NULL, "what it answers then does not count");
    handler_stop(&t.run, RUN_STOPPED);
    handler_kill(&t.run, RUN_STOPPED);
    ok(true, "stopping what has ended does nothing");
    trial_release(&t);
    is_int(pid_of_program(s), pid, "its program lives on");

    job_hold(&other, s, "hold");
    job_hold(&t, s, "deaf");
    job_start(&third, s, "pid");
    handler_stop(&t.run, RUN_CANCELLED);
    trial_wait(&t);
    trial_wait(&other);
    is_int(t.end.cause, RUN_CANCELLED, "a job that does not end is cancelled all the same");
    ok(t.end.ran_ms >= 200, "after the grace");
    is_int(other.end.cause, RUN_STOPPED, "its program was killed, the other job in it goes back");
    has_str(other.end.error, "its program was killed: job 4711 did not end when it was asked to",
            "and is told why");
    trial_wait(&third);
    is_int(third.end.cause, RUN_OK, "a job that waited gets the next program");
    trial_release(&t);
    trial_release(&other);
    trial_release(&third);
    scene_end();
}

static void
test_kill(void)
{
    struct scene *s = scene_new("in_flight=2");
    struct trial t, other, waiting;

    s->handler.in_flight = 2;
    s->conf.grace_ms = 60000;
    job_hold(&t, s, "deaf");
    job_hold(&other, s, "hold");
    job_start(&waiting, s, "nothing");
    handler_stop(&waiting.run, RUN_CANCELLED);
    is_int(waiting.ended, false, "no run ends within the call that stops it");
    trial_wait(&waiting);
    is_int(waiting.end.cause, RUN_CANCELLED, "a job that waits can be cancelled");
    is_int(waiting.end.ran_ms, 0, "it never ran");
    handler_stop(&t.run, RUN_CANCELLED);
    handler_kill(&t.run, RUN_STOPPED);
    trial_wait(&t);
    trial_wait(&other);
    is_int(t.end.cause, RUN_CANCELLED, "a kill after a stop keeps the first cause");
    ok(t.end.ran_ms < 30000, "and does not wait for the grace");
    is_int(other.end.cause, RUN_STOPPED, "the other job goes back");
    trial_release(&t);
    trial_release(&other);
    trial_release(&waiting);

    job_start(&t, s, "hold");
    handler_kill(&t.run, RUN_STOPPED);
    trial_wait(&t);
    is_int(t.end.cause, RUN_STOPPED, "a job can be killed before it has begun");
    trial_release(&t);
    scene_end();
}

static void
test_deadline(void)
{
    struct scene *s = scene_new("");
    struct trial t;
    int pid = pid_of_program(s);

    s->handler.timeout_ms = 300;
    job_run(&t, s, "hold");
    is_int(t.end.cause, RUN_TIMEOUT, "a job meets its deadline");
    is_str(t.end.error, "ran longer than its timeout of 300 ms", "and is told so");
    trial_release(&t);
    is_int(pid_of_program(s), pid, "its program lives on, if it listens");
    job_run(&t, s, "freeze");
    is_int(t.end.cause, RUN_TIMEOUT, "a program that hangs meets the deadline of its job");
    trial_release(&t);
    ok(pid_of_program(s) != pid, "and is replaced");
    scene_end();
}

/* --- ends of programs -------------------------------------------------------------------- */

static void
test_deaths(void)
{
    /* clang-format off */
    static const struct {
        const char *payload;
        enum run_cause cause;
        int status, signal;
        const char *error;
    } rows[] = {
        {"exit 3",    RUN_FAILED, 3,  0,  "its program exited with status 3"},
        {"exit 0",    RUN_FAILED, 0,  0,  "its program exited with status 0"},
        {"exit 64",   RUN_FAILED, 64, 0,  "its program exited with status 64"},
        {"exit 75",   RUN_FAILED, 75, 0,  "its program exited with status 75"},
        {"signal 9",  RUN_SIGNAL, -1, 9,  "its program was killed by signal 9 (KILL)"},
        {"signal 6",  RUN_SIGNAL, -1, 6,  "its program was killed by signal 6 (ABRT)"},
    };
    /* clang-format on */
    struct trial t, other;

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct scene *s = scene_new("in_flight=2");

        s->handler.in_flight = 2;
        job_hold(&other, s, "hold");
        job_run(&t, s, rows[i].payload);
        trial_wait(&other);
        is_int(t.end.cause, rows[i].cause, "'%s' has the right cause", rows[i].payload);
        is_int(t.end.exit_status, rows[i].status, "its status");
        is_int(t.end.signal, rows[i].signal, "its signal");
        is_str(t.end.error, rows[i].error, "its error");
        is_int(other.end.cause, rows[i].cause, "the other job in hand fails with it");
        trial_release(&t);
        trial_release(&other);
        ok(pid_of_program(s) > 0, "the next job has a new program");
        scene_end();
    }
}

static void
test_limit(void)
{
    struct scene *s = scene_new("");
    struct trial t;

    s->handler.cpu_time_ms = 1000;
    job_run(&t, s, "spin");
    is_int(t.end.cause, RUN_LIMIT, "a limit of its kind ends a program and its job");
    is_str(t.end.error, "its program used more than 1 s of CPU time", "and the error names it");
    trial_release(&t);
    scene_end();
}

/* The tail of a program that printed for one job is not shown with another. */
static void
test_tails(void)
{
    struct scene *s = scene_new("in_flight=2");
    struct trial t, other;

    s->handler.in_flight = 2;
    job_run(&t, s, "log of this job");
    is_str(t.end.stderr_tail, "of this job\n", "lines of a job are its tail");
    has_str(trial_log(), "job 4711 (mail): of this job\n", "and in the log with its number");
    has_str(trial_log(), "program 1 (mail): of no job\n", "others with the program's name");
    trial_release(&t);
    job_run(&t, s, "print alone");
    is_str(t.end.stderr_tail, "alone\n", "stderr is the tail of a job that is alone");
    has_str(trial_log(), "job 4711 (mail): alone\n", "and in the log with its number");
    trial_release(&t);
    job_run(&t, s, "out standard");
    has_str(trial_log(), "job 4711 (mail): standard\n", "so is stdout");
    is_str(t.end.result, NULL, "which is no result");
    trial_release(&t);
    job_hold(&other, s, "hold");
    job_run(&t, s, "print among others");
    is_str(t.end.stderr_tail, NULL, "with two in hand nobody knows whose line it is");
    trial_release(&t);
    job_run(&t, s, "exit 1");
    trial_wait(&other);
    has_str(trial_log(), "program 1 (mail): among others\n", "it has the program's name");
    is_str(other.end.stderr_tail, "among others\n", "it is shown when the program dies");
    is_str(t.end.error, "its program exited with status 1: among others", "in the error, too");
    trial_release(&t);
    trial_release(&other);
    job_run(&t, s, "exit 1");
    is_str(t.end.error, "its program exited with status 1", "but not with jobs of later");
    trial_release(&t);
    scene_end();
}

static void
test_survivors(void)
{
    struct scene *s = scene_new("");
    struct trial t;

    pids_forget();
    job_run(&t, s, "litter");
    trial_release(&t);
    is_int(pids_alive(), 2, "what a program starts may outlive a job");
    job_run(&t, s, "signal 9");
    is_int(pids_alive(), 0, "but not the program");
    is_int(t.end.cause, RUN_SIGNAL, "whose job has failed");
    trial_release(&t);

    pids_forget();
    job_run(&t, s, "litter");
    trial_release(&t);
    scene_end();
    is_int(pids_alive(), 0, "nothing is left when the pool ends");
}

static void
test_guard_killed(void)
{
    struct scene *s = scene_new("");
    AUTO(file) FILE *f = NULL;
    struct trial t;
    int guard = 0;

    pids_forget();
    job_run(&t, s, "litter");
    trial_release(&t);
    job_hold(&t, s, "hold");
    f = fopen("/proc/thread-self/children", "re");
    is_int(fscanf(f, "%d", &guard), 1, "there is a guard");
    kill(guard, SIGKILL);
    trial_wait(&t);
    is_int(t.end.cause, RUN_SIGNAL, "killing it fails the job");
    is_str(t.end.error, "its program ended: its guard process was killed by signal 9 (KILL)",
           "and says so");
    is_int(pids_alive(), 0, "nothing that it guarded lives");
    trial_release(&t);
    scene_end();
}

/* --- signs of life ----------------------------------------------------------------------- */

static void
test_heartbeat(void)
{
    struct scene *s = scene_new("heartbeat");
    struct trial t;

    s->handler.answer_ms = 300;
    job_hold(&t, s, "hold");
    handler_stop(&t.run, RUN_STOPPED);
    trial_wait(&t);
    trial_release(&t);
    job_run(&t, s, "slow 100");
    is_int(t.end.cause, RUN_OK, "a program that answers heartbeats lives");
    trial_release(&t);
    job_run(&t, s, "freeze");
    is_int(t.end.cause, RUN_FAILED, "one that does not any more fails");
    is_str(t.end.error, "its program has stopped answering: no heartbeat within 300ms",
           "and the error says why");
    trial_release(&t);
    scene_end();

    s = scene_new("");
    s->handler.answer_ms = 100;
    job_run(&t, s, "slow 500");
    is_int(t.end.cause, RUN_OK, "a program that did not promise heartbeats need not answer");
    trial_release(&t);
    scene_end();
}

static void
test_not_reading(void)
{
    static char payload[400000];
    struct scene *s = scene_new("in_flight=20");
    struct trial t[20];
    int failed = 0;

    memset(payload, ' ', sizeof(payload) - 1);
    memcpy(payload, "nothing", 7);
    s->handler.in_flight = 20;
    s->handler.answer_ms = 300;
    job_start(&t[0], s, "freeze");
    for (int i = 1; i < 20; i++)
        job_start(&t[i], s, payload);
    trial_wait(&t[0]);
    is_int(t[0].end.cause, RUN_FAILED, "a program that does not read is ended");
    is_str(t[0].end.error, "its program has stopped reading its socket: nothing for 300ms",
           "and the error says why");
    for (int i = 1; i < 20; i++) {
        trial_wait(&t[i]);
        failed += t[i].end.cause == RUN_FAILED;
    }
    ok(failed > 0 && failed < 10, "jobs that were not written to it fare better (%d failed)",
       failed);
    for (int i = 0; i < 20; i++)
        trial_release(&t[i]);
    scene_end();
}

static void
test_closed(void)
{
    struct scene *s = scene_new("");
    struct trial t;

    s->handler.answer_ms = 300;
    job_run(&t, s, "close");
    is_int(t.end.cause, RUN_FAILED, "a program that closes its socket is ended");
    is_str(t.end.error, "its program closed its socket and did not end", "and the error says why");
    trial_release(&t);
    scene_end();
}

/* --- broken protocol --------------------------------------------------------------------- */

static void
test_protocol(void)
{
    /* clang-format off */
    static const struct {
        const char *payload, *error;
    } rows[] = {
        {"raw 00000000",     "a frame of 0 bytes, from 1 to 1114112 are allowed"},
        {"raw 7fffffff",     "a frame of 2147483647 bytes, from 1 to 1114112 are allowed"},
        {"raw 00000001c1",   "a frame: it is not msgpack"},
        {"raw 00000005dd7fffffff", "a frame: it ends within a value"},
        {"raw 00000001c0",   "a frame is no array"},
        {"raw 0000000190",   "a frame is empty"},
        {"raw 000000029101", "a frame does not begin with its type, a text"},
        {"raw 0000000391a178", "a frame has the unknown type 'x'"},
        {"stranger 1",       "a frame is about job 2, which it was never given"},
        {"stranger -1",      "a frame is about job 0, which it was never given"},
        {"hello",            "it said 'hello' twice"},
    };
    /* clang-format on */
    struct trial t, other;
    char error[200];

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct scene *s = scene_new("in_flight=2");

        s->handler.in_flight = 2;
        job_run(&t, s, rows[i].payload);
        is_int(t.end.cause, RUN_PROTOCOL, "'%s' breaks the protocol", rows[i].payload);
        snprintf(error, sizeof(error), "its program broke the protocol: %s", rows[i].error);
        is_str(t.end.error, error, "and the error says how");
        trial_release(&t);
        job_run(&other, s, "nothing");
        is_int(other.end.cause, RUN_OK, "the next job has a new program");
        trial_release(&other);
        scene_end();
    }
}

/* --- broken installations ---------------------------------------------------------------- */

static void
no_start_is(const char *args, const char *error)
{
    struct scene *s = scene_new(args);
    struct trial t, second;
    struct err err;

    s->handler.answer_ms = 300;
    job_start(&t, s, "nothing");
    job_start(&second, s, "nothing");
    trial_wait(&t);
    trial_wait(&second);
    is_int(t.end.cause, RUN_NO_START, "'%s' is no start", args);
    is_str(t.end.error, error, "the error says why");
    is_int(second.end.cause, RUN_NO_START, "for all jobs that wait");
    trial_release(&t);
    trial_release(&second);
    job_init(&t, s, "nothing");
    ok(!handler_start(&t.run, &err), "the next job is refused for a while");
    is_int(err.class, ERR_CONFIG, "as one that cannot run");
    has_str(err.text, "it is not started again for ", "and is told so");
    trial_release(&t);
    scene_end();
}

static void
test_no_start(void)
{
    struct scene *s = scene_new("");
    struct trial t;

    no_start_is("exit=1", "its program exited with status 1 before it said hello");
    no_start_is("exit=0", "its program exited with status 0 before it said hello");
    no_start_is("cry=no-module",
                "its program exited with status 1 before it said hello: no-module");
    no_start_is("no-hello", "its program did not say hello within 300ms");
    no_start_is("version=2", "its program broke the protocol: frame 'hello': version 2 is not "
                             "spoken here, only 1");
    no_start_is("early-result", "its program broke the protocol: its first frame is not 'hello'");

    s->handler.program = "/nonexistent";
    job_run(&t, s, "nothing");
    is_int(t.end.cause, RUN_NO_START, "a missing program is no start");
    is_str(t.end.error, "its program could not be started: program '/nonexistent' was not found",
           "and the error says so");
    trial_release(&t);
    scene_end();
}

static bool
can_start(void *trial)
{
    struct trial *t = trial;
    struct err err;

    if (t->run.way == NULL && !handler_start(&t->run, &err))
        return false;
    return true;
}

static void
test_mended(void)
{
    const char *path = trial_path("broken");
    char args[4096];
    struct scene *s;
    struct trial t;
    FILE *f = fopen(path, "we");

    fclose(f);
    snprintf(args, sizeof(args), "unless=%s", path);
    s = scene_new(args);
    job_run(&t, s, "nothing");
    is_int(t.end.cause, RUN_NO_START, "a broken installation");
    trial_release(&t);
    unlink(path);
    job_init(&t, s, "nothing");
    ok(trial_until(can_start, &t, 10000), "is tried again");
    trial_wait(&t);
    is_int(t.end.cause, RUN_OK, "and works when it is mended");
    trial_release(&t);
    scene_end();
}

/* A program that dies again and again while it works: jobs wait for the next one. */
static void
test_backoff(void)
{
    struct scene *s = scene_new("");
    struct trial t[4];
    int64_t start = clock_mono_ms();

    for (int i = 0; i < 4; i++)
        job_start(&t[i], s, i < 3 ? "exit 1" : "nothing");
    for (int i = 0; i < 4; i++) {
        trial_wait(&t[i]);
        is_int(t[i].end.cause, i < 3 ? RUN_FAILED : RUN_OK, "each job has its own end");
        trial_release(&t[i]);
    }
    ok(clock_mono_ms() - start >= 50 + 100 + 200, "starts are further and further apart");
    scene_end();
}

/* --- recycling --------------------------------------------------------------------------- */

static void
test_recycle(void)
{
    struct scene *s = scene_new("");
    struct trial t;
    int pid, other;

    s->handler.recycle_jobs = 2;
    pid = pid_of_program(s);
    is_int(pid_of_program(s), pid, "a program does recycle_jobs jobs");
    other = pid_of_program(s);
    ok(other > 0 && other != pid, "then another takes its place");
    scene_end();

    s = scene_new("in_flight=2");
    s->handler.in_flight = 2;
    s->handler.recycle_jobs = 2;
    job_hold(&t, s, "hold");
    pid = pid_of_program(s);
    other = pid_of_program(s);
    ok(other != pid && !t.ended, "a job in hand of the old one is not dropped");
    handler_stop(&t.run, RUN_STOPPED);
    trial_wait(&t);
    is_int(t.end.cause, RUN_STOPPED, "it can be stopped there");
    trial_release(&t);
    scene_end();

    s = scene_new("");
    s->handler.recycle_memory = (size_t)100 << 20;
    pid = pid_of_program(s);
    is_int(pid_of_program(s), pid, "a small program stays");
    job_run(&t, s, "grow 200");
    is_int(t.end.cause, RUN_OK, "a job may take more");
    trial_release(&t);
    ok(trial_until(has_no_children, NULL, 10000), "but then it leaves, even if no job comes");
    ok(pid_of_program(s) != pid, "and the next job has a new one");
    scene_end();
}

static void
test_recycle_age(void)
{
    struct scene *s = scene_new("");
    struct trial t;
    int pid;

    s->handler.recycle_age_ms = 200;
    pid = pid_of_program(s);
    ok(trial_until(has_no_children, NULL, 10000), "a program leaves at its age");
    ok(pid_of_program(s) != pid, "and the next job has a new one");
    scene_end();

    s = scene_new("");
    s->handler.recycle_age_ms = 200;
    job_hold(&t, s, "deaf");
    handler_stop(&t.run, RUN_STOPPED);
    trial_wait(&t);
    trial_release(&t);
    scene_end();

    s = scene_new("");
    s->handler.recycle_jobs = 1;
    s->handler.in_flight = 1;
    job_hold(&t, s, "deaf");
    handler_kill(&t.run, RUN_STOPPED);
    trial_wait(&t);
    trial_release(&t);
    ok(scene_end(), "a program that ignores drain is killed");
}

/* --- the rest ------------------------------------------------------------------------------ */

static void
test_environment(void)
{
    struct scene *s = scene_new("name=thumb");
    struct trial t;
    const char *all;

    s->envp[1] = "SHOW_HELLO=1";
    setenv("DATABASE_URL", "postgres://secret", 1);
    job_run(&t, s, "env");
    all = t.end.result != NULL ? t.end.result : "";
    has_str(all, "PGCREW_HANDLER_FD=3", "a program knows its descriptor");
    has_str(all, "PGCREW_JOB_KIND=mail", "and its kind");
    has_str(all, "SHOW_HELLO=1", "and what the configuration says");
    ok(strstr(all, "PGCREW_JOB_ID") == NULL && strstr(all, "TRACEPARENT") == NULL,
       "nothing of a job");
    ok(strstr(all, "DATABASE_URL") == NULL, "nothing else of the daemon");
    has_str(trial_log(), "(mail): hello has ", "it is greeted");
    has_str(trial_log(), "is ready: thumb, jobs at once: 1", "its name is in the log");
    trial_release(&t);
    scene_end();
}

static void
test_no_leaks(void)
{
    size_t before = open_descriptors();
    struct scene *s = scene_new("in_flight=8");
    struct trial t[MANY];
    int done = 0;

    s->handler.in_flight = 8;
    s->handler.programs = 2;
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < MANY; i++)
            job_start(&t[i], s, "echo 1");
        for (int i = 0; i < MANY; i++) {
            trial_wait(&t[i]);
            done += t[i].end.cause == RUN_OK && t[i].n_ended == 1;
            trial_release(&t[i]);
        }
    }
    is_int(done, 50 * MANY, "%d jobs in two programs", 50 * MANY);
    ok(scene_end(), "all programs end");
    is_int(open_descriptors(), before, "no descriptor is left");
}

int
main(void)
{
    find_program();
    trials_begin();
    test_ends();
    test_late_and_double();
    test_progress();
    test_in_flight();
    test_programs();
    test_large_payloads();
    test_stop();
    test_kill();
    test_deadline();
    test_deaths();
    test_limit();
    test_tails();
    test_survivors();
    test_guard_killed();
    test_heartbeat();
    test_not_reading();
    test_closed();
    test_protocol();
    test_no_start();
    test_mended();
    test_backoff();
    test_recycle();
    test_recycle_age();
    test_environment();
    test_no_leaks();
    trials_end();
    return done_testing();
}
