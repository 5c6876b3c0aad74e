/* Functions of shared objects, run by the real thread on the real loop. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "module/load.h"
#include "tap.h"
#include "trial.h"

static const char *const kinds[] = {
    "nothing",     "echo",  "facts",   "fail",     "mute",  "never",         "later",
    "in_a_minute", "steps", "patient", "stubborn", "crash", "wait_for_file", "absent",
};

static struct conf conf;
static struct handler_conf handlers[LENGTH(kinds)];

static const char *
module_path(const char *name)
{
    static char path[300];
    const char *build = getenv("PGCREW_BUILD");

    snprintf(path, sizeof(path), "%s/tests/unit/%s", build != NULL ? build : ".", name);
    return path;
}

static void
set_up(void)
{
    static char path[300];

    snprintf(path, sizeof(path), "%s", module_path("trial_module.so"));
    for (size_t i = 0; i < LENGTH(kinds); i++)
        handlers[i] = (struct handler_conf){
            .kind = kinds[i], .way = CONF_MODULE, .module = path, .timeout_ms = 20000};
    conf = (struct conf){.handlers = handlers,
                         .n_handlers = LENGTH(handlers),
                         .grace_ms = 2000,
                         .result_max = 1000,
                         .stderr_tail = 500,
                         .log_line_max = 200};
}

static struct handler_conf *
handler_of(const char *kind)
{
    for (size_t i = 0; i < LENGTH(kinds); i++) {
        if (strcmp(kinds[i], kind) == 0)
            return &handlers[i];
    }
    abort();
}

static void
begin_job(struct trial *t, const char *kind)
{
    trial_init(t, "");
    t->run.conf = &conf;
    t->run.handler = handler_of(kind);
    t->run.job.kind = kind;
    trial_start(t);
}

static void
run_job(struct trial *t, const char *kind)
{
    begin_job(t, kind);
    trial_wait(t);
}

static void
test_ends(void)
{
    struct trial t;

    run_job(&t, "nothing");
    is_int(t.end.cause, RUN_OK, "a function that returns PGCREW_DONE has succeeded");
    is_str(t.end.result, NULL, "without a result when it said none");
    is_int(t.n_ended, 1, "its end is told once");
    trial_release(&t);
    run_job(&t, "echo");
    is_str(t.end.result, "{\"a\": 1}", "its result is kept");
    trial_release(&t);
    run_job(&t, "facts");
    is_str(t.end.result, "\"4711 facts default 1/5 '' '' 20000 1\"",
           "it sees the facts of its job; the module was begun once");
    trial_release(&t);
    run_job(&t, "fail");
    is_int(t.end.cause, RUN_FAILED, "one that fails has failed");
    is_str(t.end.error, "no such page\\x0a", "with its own words, printable");
    is_str(t.end.stderr_tail, "it was line 12\n", "and its log");
    is_int(t.end.wait_ms, -1, "and no wait of its own");
    has_str(trial_log(), "job 4711 (fail): it was line 12", "which is logged, too");
    trial_release(&t);
    run_job(&t, "mute");
    is_str(t.end.error, "its function said no reason", "or a word for it");
    trial_release(&t);
    run_job(&t, "never");
    is_int(t.end.cause, RUN_PERMANENT, "one may say: never again");
    trial_release(&t);
    run_job(&t, "later");
    is_int(t.end.cause, RUN_TEMPFAIL, "or: later");
    trial_release(&t);
    run_job(&t, "in_a_minute");
    is_int(t.end.cause, RUN_SNOOZED, "or when");
    is_int(t.end.wait_ms, 60000, "in a minute");
    trial_release(&t);
    run_job(&t, "steps");
    is_int(t.n_progress, 2, "progress is told");
    ok(t.percent < 0, "as it was said last");
    is_str(t.note, "waiting", "with its note");
    trial_release(&t);
}

static void
test_broken(void)
{
    const struct pgcrew_module *module;
    struct handler_conf h = handlers[0];
    pgcrew_run *run;
    struct trial t;
    struct err err;

    trial_init(&t, "");
    t.run.conf = &conf;
    t.run.handler = handler_of("absent");
    ok(!handler_start(&t.run, &err), "a function that is not there cannot be started");
    is_int(err.class, ERR_CONFIG, "which is for a person");
    has_str(err.text, "has no function 'absent'; it has: nothing, echo,", "and says what there is");
    trial_release(&t);

    h.module = module_path("trial_module_other.so");
    ok(!module_load(&h, &module, &run, &err), "a module of another version");
    has_str(err.text, "is made for version 99 of pgcrew/handler.h, this program for version 1",
            "is told from ours");
    h.module = module_path("../../src/sqltext.h");
    ok(!module_load(&h, &module, &run, &err), "what is no shared object");
    has_str(err.text, "cannot be loaded: ", "is not loaded");
    h.module = "libm.so.6";
    ok(!module_load(&h, &module, &run, &err), "a library without our symbol");
    has_str(err.text, "exports no pgcrew_module", "is none of ours");
}

static atomic_bool is_inside;

static void
watch_inside(void *owner, int64_t job_id)
{
    (void)owner;
    is_inside = job_id == 4711;
}

static bool
is_begun(void *unused)
{
    (void)unused;
    return is_inside;
}

static void
test_stop(void)
{
    struct trial t, waiting;

    begin_job(&t, "patient");
    trial_until(is_begun, NULL, 5000);
    handler_stop(&t.run, RUN_CANCELLED);
    handler_stop(&t.run, RUN_STOPPED);
    trial_wait(&t);
    is_int(t.end.cause, RUN_CANCELLED, "one that is asked to end ends as it was asked first");
    is_str(t.end.error, "was cancelled while it ran", "and says so");
    is_int(t.n_ended, 1, "once");
    trial_release(&t);

    handler_of("patient")->timeout_ms = 100;
    run_job(&t, "patient");
    is_int(t.end.cause, RUN_TIMEOUT, "one that runs too long is asked to end");
    is_str(t.end.error, "ran longer than its timeout of 100 ms", "and has failed");
    trial_release(&t);
    handler_of("patient")->timeout_ms = 20000;

    begin_job(&t, "patient");
    begin_job(&waiting, "nothing");
    ok(handler_retract(&waiting.run), "what waits behind it can be taken back");
    is_int(waiting.n_ended, 0, "and has not ended");
    trial_release(&waiting);
    begin_job(&waiting, "nothing");
    handler_stop(&waiting.run, RUN_CANCELLED);
    is_int(waiting.n_ended, 1, "or ended at once");
    is_int(waiting.end.cause, RUN_CANCELLED, "without being run");
    trial_release(&waiting);
    handler_stop(&t.run, RUN_STOPPED);
    trial_wait(&t);
    trial_release(&t);
}

static void
test_many(void)
{
    enum { MANY = 500 };
    static struct trial t[MANY];
    size_t good = 0;

    for (size_t i = 0; i < MANY; i++)
        begin_job(&t[i], "echo");
    for (size_t i = 0; i < MANY; i++) {
        trial_wait(&t[i]);
        good += t[i].n_ended == 1 && t[i].end.cause == RUN_OK;
        trial_release(&t[i]);
    }
    is_int(good, MANY, "many wait in line, and all end");
}

/* In a child: it must end itself. */
static void
test_kill(void)
{
    struct trial t;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        handler_init(loop_after_fork(), &conf);
        begin_job(&t, "stubborn");
        trial_until(is_begun, NULL, 5000);
        handler_kill(&t.run, RUN_STOPPED);
        trial_wait(&t);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 70,
           "a function that does not end before the lease does takes its worker along");
}

static void
test_stubborn(void)
{
    struct trial t, behind;

    conf.grace_ms = 100;
    handler_of("stubborn")->timeout_ms = 50;
    is_str(handler_spoiled(), NULL, "until now nothing was wrong");
    begin_job(&t, "stubborn");
    begin_job(&behind, "nothing");
    trial_wait(&t);
    is_int(t.end.cause, RUN_TIMEOUT, "one that does not return is over all the same");
    is_str(t.end.error, "ran longer than its timeout of 50 ms, and did not return", "and says so");
    has_str(trial_log(), "this worker is replaced", "so does the log");
    has_str(handler_spoiled(), "does not return", "and the process is spoiled");
    ok(handler_retract(&behind.run), "what waits behind it is taken back");
    trial_release(&t);
    trial_release(&behind);
    handler_end(); /* does not wait for it */
}

int
main(void)
{
    int status;

    trials_begin();
    set_up();
    handler_watch_inside(watch_inside, NULL);
    test_kill();
    handler_init(loop_get(), &conf);
    test_ends();
    test_broken();
    test_stop();
    test_many();
    test_stubborn();
    trials_end();
    status = done_testing();
    fflush(stdout);
    _exit(status); /* a thread is left */
}
