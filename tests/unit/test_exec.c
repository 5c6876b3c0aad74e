/* What a program per job may print and how it may end; its processes are in test_guard.c. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "tap.h"
#include "trial.h"

#ifdef __SANITIZE_ADDRESS__
#define RSS_GROWTH_MAX ((int64_t)512 << 20) /* freed memory is kept back for a while */
#else
#define RSS_GROWTH_MAX ((int64_t)4 << 20)
#endif

static void
result_is(const char *script, const char *result, const char *what)
{
    struct trial t;

    trial_run(&t, script);
    is_int(t.end.cause, RUN_OK, "%s: succeeds", what);
    is_str(t.end.result, result, "%s: as it should", what);
    trial_release(&t);
}

static void
test_results(void)
{
    result_is("echo '{\"size\": [1, 2.50]}'", "{\"size\": [1, 2.50]}", "JSON stays as it is");
    result_is("echo 12345678901234567890123", "12345678901234567890123", "a large number is JSON");
    result_is("echo done, all of it", "\"done, all of it\"", "text becomes a string");
    result_is("printf 'a\\377b'", "\"a?b\"", "broken UTF-8 becomes storable");
    result_is("printf 'a\\000b'", "\"a?b\"", "a NUL becomes storable");
    result_is("printf '\"\\\\u0000\"'", "\"\\\"\\\\u0000\\\"\"",
              "\\u0000, which jsonb refuses, is text");
    result_is("printf '\"\\\\ud800\"'", "\"\\\"\\\\ud800\\\"\"", "half a surrogate pair is text");
    result_is("echo 1e999999", "\"1e999999\"", "a number too large is text");
    result_is("echo '[1e-99999]'", "\"[1e-99999]\"", "a number too small is text");
    result_is(":", NULL, "nothing is no result");
    result_is("echo; echo", NULL, "empty lines are no result");
    result_is("cat", "{\"a\": 1}", "the payload is on stdin");
}

static void
test_long_result(void)
{
    struct trial t;
    int64_t before = proc_rss_bytes(getpid());

    trial_run(&t, "head -c 100000000 /dev/zero | tr '\\0' x");
    is_int(t.end.cause, RUN_OK, "100 MB on stdout: succeeds");
    has_str(t.end.result, "{\"pgcrew_truncated\": true, \"bytes\": 100000000, \"head\": \"xxxxx",
            "the result says how much it was");
    ok(t.end.result != NULL && strlen(t.end.result) < 1100, "and keeps 1 KiB of it");
    ok(proc_rss_bytes(getpid()) - before < RSS_GROWTH_MAX, "the worker did not grow with it");
    trial_release(&t);

    trial_run(&t, "yes ä | tr -d '\\n' | head -c 2000001");
    ok(t.end.result != NULL && strchr(t.end.result, '?') == NULL, "no character is cut in two");
    trial_release(&t);
}

static void
test_long_stderr(void)
{
    struct trial t;
    int64_t before = proc_rss_bytes(getpid());
    const char *log;

    trial_run(
        &t,
        "head -c 100000000 /dev/zero | tr '\\0' x | fold -w 200 >&2; echo >&2; echo the end >&2; exit 3");
    is_int(t.end.exit_status, 3, "100 MB on stderr: the attempt ends as it wants");
    is_str(t.end.error, "exited with status 3: the end", "the error has the last line");
    is_int(strlen(t.end.stderr_tail), 4096, "the tail has its length");
    has_str(t.end.stderr_tail + 4000, "the end\n", "and is the end");
    ok(proc_rss_bytes(getpid()) - before < RSS_GROWTH_MAX, "the worker did not grow with it");
    log = strstr(trial_log(), "further stderr is not forwarded");
    ok(log != NULL, "the log says that it stopped");
    ok(log != NULL && strstr(log + 1, "further stderr") == NULL, "once");
    ok(log != NULL && strstr(log, ": xxxx") == NULL, "and has no line after it");
    ok(strlen(trial_log()) < 1200 * 1024, "the journal is not filled");
    trial_release(&t);
}

static void
test_stderr_in_log(void)
{
    struct trial t;

    trial_run(
        &t, "echo first >&2; printf 'worker 9: \\033[31mred\\r\\n' >&2; printf 'tail' >&2; exit 1");
    has_str(trial_log(), "job 4711 (mail): first\n", "a line is forwarded with its job");
    has_str(trial_log(), "job 4711 (mail): worker 9: \\x1b[31mred\n", "control characters are not");
    has_str(trial_log(), "job 4711 (mail): tail\n", "a last line without line end is");
    is_str(t.end.stderr_tail, "first\nworker 9: \\x1b[31mred\\x0d\ntail", "the tail is printable");
    is_str(t.end.error, "exited with status 1: tail", "the error has the last line");
    trial_release(&t);

    trial_run(&t, "head -c 5000 /dev/zero | tr '\\0' y >&2; exit 1");
    has_str(trial_log(), "yyy [cut]\n", "a long line is cut");
    trial_release(&t);
}

static void
test_stdin(void)
{
    struct trial t;
    char *payload = malloc(5000000);

    memset(payload, ' ', 5000000);
    payload[0] = '1';
    trial_init(&t, ":");
    t.run.job.payload = payload;
    t.run.job.payload_len = 5000000;
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, RUN_OK, "a handler need not read its 5 MB of payload");
    trial_release(&t);

    trial_init(&t, "head -c 10 >/dev/null; exec <&-; sleep 0.1; echo 7");
    t.run.job.payload = payload;
    t.run.job.payload_len = 5000000;
    trial_start(&t);
    trial_wait(&t);
    is_str(t.end.result, "7", "nor all of it");
    trial_release(&t);

    trial_init(&t, "wc -c; echo x >&0 || echo refused");
    t.run.job.payload = payload;
    t.run.job.payload_len = 5000000;
    trial_start(&t);
    trial_wait(&t);
    has_str(t.end.result, "5000000\\nrefused", "it may read all of it, and write nothing");
    trial_release(&t);
    free(payload);
}

static void
test_progress(void)
{
    struct trial t;

    trial_run(&t, "echo 42 resizing >&3");
    is_int(t.n_progress, 1, "a line of progress is heard");
    is_int(t.percent, 42, "its number");
    is_str(t.note, "resizing", "and its note");
    trial_release(&t);

    trial_run(&t, "for l in 'garbage' '101' '-5' nan 1e1 0x10 '' '12x'; do echo \"$l\"; done >&3");
    is_int(t.n_progress, 0, "what is no progress is ignored");
    is_int(t.end.cause, RUN_OK, "and harms nothing");
    trial_release(&t);

    trial_run(&t, "echo 10 >&3; echo 55.5% half >&3; printf '100' >&3");
    is_int(t.n_progress, 3, "numbers with a fraction, a %%, and no line end are heard");
    is_str(t.note, "", "a line may have no note");
    trial_release(&t);

    trial_run(&t, "echo - still looking >&3");
    ok(t.percent < 0, "- says that the number is not known");
    is_str(t.note, "still looking", "but what is done");
    trial_release(&t);

    trial_run(&t, "printf '5 %0500d\\n6 a\\377b\\n' 0 >&3");
    is_int(t.n_progress, 2, "a line longer than a note may be is heard");
    is_str(t.note, "a?b", "notes are storable");
    trial_release(&t);

    trial_run(&t, "yes '50 spinning' | head -n 100000 >&3");
    is_int(t.n_progress, 100000, "100,000 lines of progress do no harm");
    trial_release(&t);
}

static void
test_exits(void)
{
    /* clang-format off */
    static const struct {
        const char *script;
        enum run_cause cause;
        int status, signal;
        const char *error;
    } rows[] = {
        {"exit 0",                  RUN_OK,        0,  0,  NULL},
        {"exit 1",                  RUN_FAILED,    1,  0,  "exited with status 1"},
        {"echo no such user >&2; echo >&2; exit 1", RUN_FAILED, 1, 0, "exited with status 1: no such user"},
        {"exit 64",                 RUN_PERMANENT, 64, 0,  "exited with status 64"},
        {"exit 65",                 RUN_PERMANENT, 65, 0,  "exited with status 65"},
        {"exit 75",                 RUN_TEMPFAIL,  75, 0,  "exited with status 75"},
        {"exit 127",                RUN_FAILED,    127, 0, "exited with status 127"},
        {"kill -SEGV $$; sleep 9",  RUN_SIGNAL,    -1, 11, "was killed by signal 11 (SEGV)"},
        {"kill -KILL $$; sleep 9",  RUN_SIGNAL,    -1, 9,  "was killed by signal 9 (KILL)"},
        {"kill -35 $$; sleep 9",    RUN_SIGNAL,    -1, 35, "was killed by signal 35"},
    };
    /* clang-format on */
    struct trial t;

    for (size_t i = 0; i < LENGTH(rows); i++) {
        trial_run(&t, rows[i].script);
        is_int(t.end.cause, rows[i].cause, "'%s' has the right cause", rows[i].script);
        is_int(t.end.exit_status, rows[i].status, "its status");
        is_int(t.end.signal, rows[i].signal, "its signal");
        is_str(t.end.error, rows[i].error, "its error");
        is_int(t.n_ended, 1, "and ended once");
        trial_release(&t);
    }
    trial_run(&t, "echo 1; exit 1");
    is_str(t.end.result, NULL, "a failed attempt has no result");
    trial_release(&t);
}

static void
test_no_start(void)
{
    struct trial t;
    FILE *f;

    trial_init(&t, "");
    t.handler.program = "/nonexistent/program";
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, RUN_NO_START, "a missing program is no start");
    is_str(t.end.error, "program '/nonexistent/program' was not found", "and says so");
    trial_release(&t);

    f = fopen(trial_path("prog"), "we");
    fputs("#!/nonexistent/interpreter\n", f);
    fclose(f);
    trial_init(&t, "");
    t.handler.program = trial_path("prog");
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, RUN_NO_START, "a program that is not executable is no start");
    has_str(t.end.error, "/prog' is not executable", "and says so");
    trial_release(&t);

    chmod(trial_path("prog"), 0700);
    trial_init(&t, "");
    t.handler.program = trial_path("prog");
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, RUN_NO_START, "a bad interpreter is no start");
    has_str(t.end.error, "the interpreter of program '", "and says so");
    has_str(t.end.error, "' was not found", "and what is wrong with it");
    trial_release(&t);

    f = fopen(trial_path("prog"), "we");
    fputs("echo hello\n", f);
    fclose(f);
    trial_init(&t, "");
    t.handler.program = trial_path("prog");
    trial_start(&t);
    trial_wait(&t);
    has_str(t.end.error, "neither a binary nor a script", "no #! line is no start");
    trial_release(&t);

    trial_init(&t, "");
    t.handler.workdir = "/nonexistent";
    trial_start(&t);
    trial_wait(&t);
    is_str(t.end.error, "cannot work in folder '/nonexistent': No such file or directory",
           "a missing folder is no start");
    trial_release(&t);
}

static void
test_environment(void)
{
    struct trial t;
    const char *all;

    setenv("DATABASE_URL", "postgres://secret", 1);
    setenv("NOTIFY_SOCKET", "/run/x", 1);
    setenv("HOME", "/var/lib/pgcrew", 1);
    setenv("LANG", "C.UTF-8", 1);
    setenv("TZ", "UTC", 1);
    trial_init(&t, "");
    t.handler.program = "/usr/bin/env";
    t.argv[1] = NULL;
    t.envp[0] = "API_URL=https://example.org";
    t.envp[1] = "PATH=/opt/bin:/usr/bin";
    t.envp[2] = "PGCREW_JOB_ID=1";
    t.run.job.batch_id = "0b0c0d0e-0000-4000-8000-000000000001";
    trial_start(&t);
    trial_wait(&t);
    all = t.end.result != NULL ? t.end.result : "";
    has_str(all, "API_URL=https://example.org\\n", "what the configuration says is there");
    has_str(all, "PATH=/opt/bin:/usr/bin\\n", "and wins over ours");
    has_str(all, "HOME=/var/lib/pgcrew\\n", "HOME is there");
    has_str(all, "LANG=C.UTF-8\\n", "LANG is there");
    has_str(all, "TZ=UTC\\n", "TZ is there");
    has_str(all, "PGCREW_JOB_ID=4711\\n", "the facts are there, and nothing replaces them");
    has_str(all,
            "PGCREW_JOB_KIND=mail\\nPGCREW_QUEUE=default\\nPGCREW_ATTEMPT=1\\n"
            "PGCREW_MAX_ATTEMPTS=5\\nPGCREW_BATCH_ID=0b0c0d0e-0000-4000-8000-000000000001\\n"
            "PGCREW_USER_ID=\\nPGCREW_TOKEN=99\\nPGCREW_TIMEOUT_MS=60000\\nPGCREW_DEADLINE=20",
            "all of them");
    has_str(all, "Z\\nPGCREW_PROGRESS_FD=3\\nTRACEPARENT=00-", "the last two too");
    ok(strstr(all, "DATABASE_URL") == NULL && strstr(all, "NOTIFY_SOCKET") == NULL,
       "nothing else of the daemon is");
    {
        int lines = 0;

        for (const char *p = all; (p = strstr(p, "\\n")) != NULL; p += 2)
            lines++;
        is_int(lines + 1, 5 + 12 + 3, "nothing but those and its temporary folder is");
    }
    trial_release(&t);
}

static void
test_surroundings(void)
{
    struct trial t;
    sigset_t usr2;

    /* No pipe: the shell would have an end of it for a moment.  No exec of ls: it has a folder. */
    trial_run(&t, "ls -m /proc/$$/fd; :");
    is_str(t.end.result, "\"0, 1, 2, 3\"", "a handler has the descriptors 0 to 3 only");
    trial_release(&t);

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    sigprocmask(SIG_BLOCK, &usr2, NULL);
    /* 32 and 33 belong to glibc: nobody can reset them, when our own parent ignores them. */
    trial_run(&t, "grep -E '^(SigBlk|SigIgn|NoNewPrivs)' /proc/$$/status | cut -f2 | "
                  "sed 's/^0000000180000000$/0000000000000000/' | tr '\\n' ' '");
    sigprocmask(SIG_UNBLOCK, &usr2, NULL);
    signal(SIGPIPE, SIG_DFL);
    is_str(t.end.result, "\"0000000000000000 0000000000000000 1\"",
           "no signal is blocked or ignored, though some are here; no new privileges");
    trial_release(&t);

    trial_init(
        &t,
        "umask; ulimit -c; nice; pwd; ps -o pid=,pgid=,sid= -p $$ | tr -s ' ' '\\n' | sort -u | grep -c .");
    t.handler.nice = 5;
    t.handler.workdir = "/usr";
    trial_start(&t);
    trial_wait(&t);
    is_str(t.end.result, "\"0077\\n0\\n5\\n/usr\\n1\"",
           "umask, core limit, niceness, folder, a session of its own");
    trial_release(&t);
}

static void
test_deadline(void)
{
    struct trial t;

    trial_init(&t, "trap '' TERM; while :; do sleep 0.05; done");
    t.handler.timeout_ms = 300;
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, RUN_TIMEOUT, "a handler that ignores TERM meets its deadline");
    is_str(t.end.error, "ran longer than its timeout of 300 ms", "and is told so");
    is_int(t.end.signal, 9, "by KILL");
    ok(t.end.ran_ms >= 500 && t.end.ran_ms < 1500, "after the grace (%" PRId64 " ms)",
       t.end.ran_ms);
    trial_release(&t);

    trial_init(&t, "trap 'exit 0' TERM; while :; do sleep 0.05; done");
    t.handler.timeout_ms = 300;
    t.conf.grace_ms = 5000;
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, RUN_TIMEOUT, "exit 0 after TERM is no success");
    is_int(t.end.exit_status, 0, "its status is known");
    ok(t.end.ran_ms < 2000, "it had not to wait for the grace");
    trial_release(&t);
}

static void
test_stop(void)
{
    struct trial t;
    size_t one = 1;

    pids_forget();
    trial_init(&t, "echo $$ >$PIDS; sleep 100");
    trial_start(&t);
    trial_until(are_pids_written, &one, 5000);
    handler_stop(&t.run, RUN_CANCELLED);
    handler_stop(&t.run, RUN_STOPPED);
    trial_wait(&t);
    is_int(t.end.cause, RUN_CANCELLED, "a handler can be cancelled, the first cause counts");
    is_int(t.end.signal, 15, "it died of TERM");
    is_str(t.end.error, "was cancelled while it ran", "and the error says why");
    handler_stop(&t.run, RUN_STOPPED);
    handler_kill(&t.run, RUN_STOPPED);
    ok(true, "stopping what has ended does nothing");
    trial_release(&t);

    pids_forget();
    trial_init(&t, "trap '' TERM; echo $$ >$PIDS; sleep 100");
    t.conf.grace_ms = 60000;
    trial_start(&t);
    trial_until(are_pids_written, &one, 5000);
    handler_stop(&t.run, RUN_STOPPED);
    handler_kill(&t.run, RUN_CANCELLED);
    trial_wait(&t);
    is_int(t.end.cause, RUN_STOPPED, "a kill after a stop keeps the first cause");
    is_int(t.end.signal, 9, "and does not wait for the grace");
    ok(t.end.ran_ms < 3000, "at all");
    trial_release(&t);

    trial_init(&t, "sleep 100");
    trial_start(&t);
    handler_stop(&t.run, RUN_STOPPED); /* the guard has hardly begun */
    trial_wait(&t);
    is_int(t.end.cause, RUN_STOPPED, "a handler can be stopped before it has begun");
    trial_release(&t);
}

static void
test_lookup(void)
{
    struct trial t;

    trial_init(&t, "");
    t.conf.handlers = &t.handler;
    ok(handler_for(&t.conf, "mail") == &t.handler, "a kind finds its handler");
    ok(handler_for(&t.conf, "other") == NULL, "and no other's");
    t.handler.kind = "*";
    t.conf.any_kind = true;
    ok(handler_for(&t.conf, "other") == &t.handler, "* is for every kind");
    is_str(run_cause_name(RUN_NO_START), "no_start", "causes have the names that are stored");
    trial_release(&t);
}

int
main(void)
{
    trials_begin();
    test_lookup();
    test_results();
    test_stdin();
    test_progress();
    test_exits();
    test_no_start();
    test_environment();
    test_surroundings();
    test_deadline();
    test_stop();
    test_stderr_in_log();
    test_long_result();
    test_long_stderr();
    trials_end();
    return done_testing();
}
