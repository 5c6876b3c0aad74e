/* Nothing of a handler outlives its attempt, however it ends and whoever dies. */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "program/strays.h"
#include "tap.h"
#include "trial.h"

/*
 * Leaves a process behind as a daemon does: a session of its own, its parent gone,
 * TERM ignored.  Waits until it runs.
 */
#define DAEMON                                                                                     \
    "setsid sh -c 'trap \"\" TERM HUP; sh -c \"echo \\$\\$ >>$PIDS; exec sleep 1000\" & ' & "      \
    "while ! [ -s $PIDS ]; do sleep 0.01; done; "

static size_t one = 1;

static void
begin(struct trial *t, const char *script)
{
    pids_forget();
    trial_init(t, script);
    trial_start(t);
}

/* The attempt has ended: then they are dead now, not soon. */
static void
none_left(struct trial *t, size_t written, const char *what)
{
    ok(t->ended, "%s: the attempt ends", what);
    ok(pids_written() >= written, "%s: there was something to kill", what);
    is_int(pids_alive(), 0, "%s: nothing is left", what);
    is_int(strays_kill(), 0, "%s: nor came to us", what);
    trial_release(t);
}

static void
test_ways_of_ending(void)
{
    struct trial t;

    begin(&t, DAEMON "echo 1");
    trial_wait(&t);
    is_str(t.end.result, "1", "a handler that leaves a daemon behind succeeds");
    none_left(&t, 1, "success");

    begin(&t, DAEMON "exit 1");
    trial_wait(&t);
    none_left(&t, 1, "failure");

    begin(&t, DAEMON "kill -KILL $$; sleep 9");
    trial_wait(&t);
    is_int(t.end.cause, RUN_SIGNAL, "a handler that is killed says so");
    none_left(&t, 1, "killed");

    begin(&t, DAEMON "sleep 1000");
    trial_until(are_pids_written, &one, 5000);
    handler_stop(&t.run, RUN_CANCELLED);
    trial_wait(&t);
    none_left(&t, 1, "cancelled");

    begin(&t, "trap '' TERM; " DAEMON "sleep 1000");
    trial_until(are_pids_written, &one, 5000);
    handler_kill(&t.run, RUN_STOPPED);
    trial_wait(&t);
    none_left(&t, 1, "killed by us");

    pids_forget();
    trial_init(&t, "trap '' TERM; " DAEMON "while :; do sleep 1; done");
    t.handler.timeout_ms = 500;
    trial_start(&t);
    trial_wait(&t);
    is_int(t.end.cause, RUN_TIMEOUT, "a tree that ignores TERM meets its deadline");
    none_left(&t, 1, "deadline");
}

/* Each process starts the next in a new session and ends: nobody can follow the parents. */
static void
test_runaway(void)
{
    struct trial t;
    size_t some = 5;

    begin(&t, "export N=500 S='N=$((N - 1)); [ $N -gt 0 ] || exit; "
              "echo $$ >>$PIDS; sleep 0.01; setsid sh -c \"$S\" & '; setsid sh -c \"$S\" & "
              "sleep 1000");
    trial_until(are_pids_written, &some, 5000);
    handler_kill(&t.run, RUN_STOPPED);
    trial_wait(&t);
    none_left(&t, 5, "a process that runs away");
}

/* Grows up to 2^7 processes in as many sessions, half of which fork on while they are killed. */
static void
test_fork_bomb(void)
{
    struct trial t;
    size_t some = 20;

    begin(&t, "export S='echo $$ >>$PIDS; N=$((N - 1)); [ $N -gt 0 ] || exec sleep 1000; export N; "
              "setsid sh -c \"$S\" & setsid sh -c \"$S\" & wait'; export N=7; sh -c \"$S\"");
    trial_until(are_pids_written, &some, 10000);
    handler_kill(&t.run, RUN_STOPPED);
    trial_wait(&t);
    ok(t.end.ran_ms < 10000, "a fork bomb ends (%" PRId64 " ms)", t.end.ran_ms);
    none_left(&t, 20, "a fork bomb");
}

static void
test_held_pipe(void)
{
    struct trial t;
    int64_t ended_mono;

    begin(&t, DAEMON "echo '\"mine\"'"); /* the daemon has stdout, stderr and fd 3 too */
    ended_mono = clock_mono_ms();
    trial_wait(&t);
    is_str(t.end.result, "\"mine\"", "who holds the pipes does not spoil the result");
    ok(clock_mono_ms() - ended_mono < 2000, "nor delay the end (%" PRId64 " ms)", t.end.ran_ms);
    none_left(&t, 1, "a held pipe");
}

/* The pids that a script wrote as "handler guard"; stops the test rather than signal pid 0. */
static void
read_pair(int *ret_handler, int *ret_guard)
{
    AUTO(file) FILE *f = fopen(trial_path("pids"), "re");

    if (f == NULL || fscanf(f, "%d %d", ret_handler, ret_guard) != 2 || *ret_handler <= 1 ||
        *ret_guard <= 1) {
        printf("Bail out! the script did not write its pids\n");
        exit(1);
    }
}

static void
test_guard_killed(void)
{
    struct trial t;
    size_t two = 2, three = 3;
    int handler, guard;

    begin(&t,
          "echo $$ >>$PIDS; echo $PPID >>$PIDS; setsid sh -c 'echo $$ >>$PIDS; exec sleep 1000' & "
          "sleep 1000");
    trial_until(are_pids_written, &three, 5000);
    read_pair(&handler, &guard);
    kill(guard, SIGKILL);
    trial_wait(&t);
    is_int(t.end.cause, RUN_SIGNAL, "a guard that is killed ends the attempt");
    is_str(t.end.error, "its guard process was killed by signal 9 (KILL)", "and the error says so");
    none_left(&t, 3, "guard killed");

    /* A guard that cannot obey is killed, and its tree with it. */
    begin(&t,
          "kill -STOP $PPID; echo $$ >>$PIDS; setsid sh -c 'echo $$ >>$PIDS; exec sleep 1000' & "
          "sleep 1000");
    trial_until(are_pids_written, &two, 5000);
    handler_stop(&t.run, RUN_CANCELLED);
    trial_wait(&t);
    is_int(t.end.cause, RUN_CANCELLED, "a handler that stops its guard can be cancelled");
    none_left(&t, 2, "guard stopped");
}

/* A worker of its own, which starts a handler and hangs. */
static pid_t
fork_worker(const char *script)
{
    pid_t pid = fork();
    struct trial t;

    if (pid != 0)
        return pid;
    handler_init(loop_after_fork(), &(struct conf){.n_handlers = 0});
    trial_init(&t, script);
    trial_start(&t);
    trial_wait(&t);
    _exit(0);
}

static void
test_worker_killed(void)
{
    pid_t worker;
    size_t three = 3;
    int64_t killed_mono;
    bool dead;

    pids_forget();
    worker = fork_worker("trap '' TERM HUP; echo $$ $PPID >>$PIDS; " DAEMON "sleep 1000");
    trial_until(are_pids_written, &three, 5000);
    is_int(pids_alive(), 3, "a guard, a handler and a daemon run");
    killed_mono = clock_mono_ms();
    kill(worker, SIGKILL);
    dead = trial_until(are_pids_dead, NULL, 2000);
    ok(dead, "they die with their worker (%" PRId64 " ms)", clock_mono_ms() - killed_mono);
}

/* Worker and guard die at once: only the kernel can end the handler now. */
static void
test_both_killed(void)
{
    size_t two = 2;
    int handler, guard;
    pid_t worker;

    pids_forget();
    worker = fork_worker("trap '' TERM HUP; echo $$ $PPID >>$PIDS; while :; do sleep 1; done");
    trial_until(are_pids_written, &two, 5000);
    read_pair(&handler, &guard);
    kill(guard, SIGSTOP);
    kill(worker, SIGKILL);
    kill(guard, SIGKILL);
    ok(trial_until(are_pids_dead, NULL, 2000), "a handler dies with its guard, too");
    strays_kill();
}

static bool
has_no_children(void *unused)
{
    (void)unused;
    return child_processes() == 0;
}

static void
test_no_leaks(void)
{
    size_t before = open_descriptors(), succeeded = 0;
    int64_t started_mono = clock_mono_ms();
    struct trial t;

    for (int i = 0; i < 200; i++) {
        trial_run(&t, i % 4 == 0 ? "echo 1; sleep 1000 & :" : "echo 1");
        succeeded += t.end.cause == RUN_OK && t.n_ended == 1;
        trial_release(&t);
    }
    is_int(succeeded, 200, "200 attempts in a row succeed (%" PRId64 " ms)",
           clock_mono_ms() - started_mono);
    is_int(open_descriptors(), before, "no descriptor is leaked");
    ok(trial_until(has_no_children, NULL, 2000), "no process is leaked");
}

static void
test_many_at_once(void)
{
    static struct trial t[40];
    size_t before = open_descriptors(), succeeded = 0;

    for (size_t i = 0; i < LENGTH(t); i++) {
        trial_init(&t[i], "sleep 0.1; cat");
        trial_start(&t[i]);
    }
    for (size_t i = 0; i < LENGTH(t); i++) {
        trial_wait(&t[i]);
        succeeded += t[i].end.cause == RUN_OK && t[i].end.result != NULL;
        trial_release(&t[i]);
    }
    is_int(succeeded, LENGTH(t), "40 attempts at once succeed");
    is_int(open_descriptors(), before, "no descriptor is leaked");
}

int
main(void)
{
    trials_begin();
    test_ways_of_ending();
    test_runaway();
    test_fork_bomb();
    test_held_pipe();
    test_guard_killed();
    test_worker_killed();
    test_both_killed();
    test_no_leaks();
    test_many_at_once();
    trials_end();
    return done_testing();
}
