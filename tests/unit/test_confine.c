/* What a program may take and reach, on a host whose control groups are not ours. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/scratch.h"
#include "program/strays.h"
#include "tap.h"
#include "trial.h"

#define MIB ((size_t)1024 * 1024)

static const char *PRINTF_LIKE(1, 2) text(const char *format, ...)
{
    static char texts[4][1024];
    static unsigned next;
    char *ret = texts[next++ % LENGTH(texts)];
    va_list args;

    va_start(args, format);
    vsnprintf(ret, sizeof(texts[0]), format, args);
    va_end(args);
    return ret;
}

/* Begin one with a limit; the caller sets it in t->handler between. */
static void
prepare(struct trial *t, const char *script)
{
    pids_forget();
    trial_init(t, script);
}

static void
run_it(struct trial *t)
{
    trial_start(t);
    trial_wait(t);
}

static void
cause_is(struct trial *t, enum run_cause cause, const char *error, const char *what)
{
    ok(t->ended && t->end.cause == cause, "%s: is told as '%s' (%s)", what, run_cause_name(cause),
       run_cause_name(t->end.cause));
    is_str(t->end.error, error, "%s: and in words", what);
    trial_release(t);
}

/* --- limits of each process --------------------------------------------------------------- */

static void
test_cpu_time(void)
{
    struct trial t;

    prepare(&t, "while :; do :; done");
    t.handler.cpu_time_ms = 1000;
    run_it(&t);
    ok(t.end.user_ms + t.end.system_ms > 0, "the time it took is known (%" PRId64 " ms)",
       t.end.user_ms + t.end.system_ms);
    cause_is(&t, RUN_LIMIT, "used more than 1 s of CPU time", "one that spins");

    prepare(&t, "trap '' XCPU; while :; do :; done");
    t.handler.cpu_time_ms = 1000;
    run_it(&t);
    cause_is(&t, RUN_LIMIT, "used more than 1 s of CPU time", "one that spins and is deaf");

    prepare(&t, "sh -c 'while :; do :; done'; exit $?");
    t.handler.cpu_time_ms = 1000;
    run_it(&t);
    cause_is(&t, RUN_LIMIT, "used more than 1 s of CPU time", "one whose child spins");

    prepare(&t, "exit 152");
    run_it(&t);
    cause_is(&t, RUN_FAILED, "exited with status 152", "without a limit a status is a status");
}

static void
test_memory(void)
{
    struct trial t;

    prepare(&t, "head -c 200000000 /dev/zero | tail -c 100000000 | wc -c; exit 3");
    t.handler.memory = 64 * MIB;
    run_it(&t);
    ok(t.end.cause == RUN_FAILED, "an allocation that fails is a failed attempt");
    has_str(t.end.stderr_tail, "memory", "which says so itself");
    trial_release(&t);
}

static void
test_files(void)
{
    struct trial t;

    prepare(&t, "exec head -c 3000000 /dev/zero >large");
    t.handler.file_size = 2 * MIB;
    run_it(&t);
    cause_is(&t, RUN_LIMIT, "wrote a file of more than 2 MiB", "a file too large");

    prepare(&t, "head -c 3000000 /dev/zero >large; exit $?");
    t.handler.file_size = 2 * MIB;
    run_it(&t);
    cause_is(&t, RUN_LIMIT, "wrote a file of more than 2 MiB", "a child's file too large");

    prepare(&t, "head -c 1500000 /dev/zero >one && head -c 1500000 /dev/zero >two");
    t.handler.file_size = 2 * MIB;
    run_it(&t);
    cause_is(&t, RUN_OK, NULL, "two smaller ones");

    prepare(&t, "ulimit -n; ulimit -Hn");
    t.handler.open_files = 33;
    run_it(&t);
    is_str(t.end.result, "\"33\\n33\"", "open_files is the limit, soft and hard");
    trial_release(&t);
}

/* --- limits that the guard watches ------------------------------------------------------------ */

static void
test_processes(void)
{
    struct trial t;

    prepare(&t,
            "i=0; while [ $i -lt 40 ]; do i=$((i + 1)); sleep 1000 & echo $! >>$PIDS; done; wait");
    t.handler.processes = 20;
    run_it(&t);
    is_int(pids_alive(), 0, "nothing of it is left");
    cause_is(&t, RUN_LIMIT, "wanted more than 20 processes", "too many processes");

    prepare(&t, "i=0; while [ $i -lt 15 ]; do i=$((i + 1)); sleep 0.4 & done; wait; echo 1");
    t.handler.processes = 20;
    run_it(&t);
    cause_is(&t, RUN_OK, NULL, "fewer than that");

    /* A bomb that no shell limits: each process makes two more. */
    prepare(&t, "export S='sh -c \"$S\" & sh -c \"$S\" & wait'; sh -c \"$S\"");
    t.handler.processes = 50;
    run_it(&t);
    cause_is(&t, RUN_LIMIT, "wanted more than 50 processes", "a fork bomb");
    is_int(strays_kill(), 0, "nothing of it came to us");
}

static void
test_folder_size(void)
{
    struct trial t;

    prepare(
        &t,
        "i=0; while :; do i=$((i + 1)); mkdir -p d$i; head -c 1000000 /dev/zero >d$i/f; sleep 0.02; done");
    t.handler.tmp_size = 4 * MIB;
    run_it(&t);
    cause_is(&t, RUN_LIMIT, "its temporary folder holds more than 4 MiB",
             "one that fills its folder");

    prepare(&t, "exec head -c 100000000 /dev/zero >f");
    t.handler.tmp_size = 4 * MIB;
    run_it(&t);
    cause_is(&t, RUN_LIMIT, "wrote a file of more than 4 MiB",
             "a file larger than the folder may be");

    prepare(&t, "head -c 1000000 /dev/zero >f; sleep 0.5");
    t.handler.tmp_size = 4 * MIB;
    run_it(&t);
    cause_is(&t, RUN_OK, NULL, "one that keeps within");
}

/* --- its folder ---------------------------------------------------------------------------- */

/* In the folder of the daemon and below it, but for the empty folders that wait to be used. */
static size_t
things_left(void)
{
    AUTO(dir) DIR *dir = opendir(scratch_path());
    const struct dirent *entry;
    size_t n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.')
            n += unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) < 0;
    }
    return n;
}

static void
test_folder(void)
{
    struct trial t;
    const char *outside = trial_path("outside");

    trial_run(&t,
              "[ \"$(pwd)\" = \"$TMPDIR\" ] && [ $TMP = $TEMP ] && stat -c '%a %u' . && pwd >&2");
    is_str(t.end.result, "\"700 0\"", "it begins in its own folder, which nobody else may enter");
    t.end.stderr_tail[strcspn(t.end.stderr_tail, "\n")] = '\0';
    has_str(t.end.stderr_tail, scratch_path(), "in the daemon's");
    is_int(things_left(), 0, "and nothing stays when it has ended");
    trial_release(&t);

    /* The folder may be used again: the next one finds it as it should be. */
    trial_run(&t, "touch a; chmod 755 .; echo 1");
    trial_release(&t);
    trial_run(&t, "ls -A; stat -c '%a %u' .; rmdir $TMPDIR");
    is_str(t.end.result, "\"700 0\"", "the next one gets an empty folder of mode 700");
    trial_release(&t);
    trial_run(&t, "ls -A; stat -c '%a %u' .");
    is_str(t.end.result, "\"700 0\"", "even when the last one has removed it");
    trial_release(&t);

    prepare(&t, "pwd; echo $TMPDIR");
    t.handler.workdir = "/usr";
    t.envp[1] = "TMPDIR=/var";
    run_it(&t);
    is_str(t.end.result, "\"/usr\\n/var\"", "workdir and a TMPDIR of the configuration come first");
    trial_release(&t);

    mkdir(outside, 0700);
    close(open(trial_path("outside/kept"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    prepare(&t, "ln -s $OUT link; ln -s $OUT/kept file; mkdir -p a/b; ln -s $OUT a/b/c; "
                "mkdir -p locked/in && touch locked/in/f && chmod 0 locked/in locked; "
                "mkfifo p; mkdir 'new\nline'; touch -- -rf '*' .hidden");
    t.envp[1] = text("OUT=%s", outside);
    run_it(&t);
    is_int(t.end.cause, RUN_OK, "a folder with everything in it is left behind");
    is_int(things_left(), 0, "all of it is removed");
    is_int(access(trial_path("outside/kept"), F_OK), 0, "but not what its links led to");
    trial_release(&t);
    unlink(trial_path("outside/kept"));
    rmdir(outside);

    trial_run(&t,
              "i=0; while [ $i -lt 500 ]; do i=$((i + 1)); mkdir d f && cd d; done; touch deepest");
    is_int(t.end.cause, RUN_OK, "500 folders in each other are left behind");
    is_int(things_left(), 0, "and removed");
    trial_release(&t);

    trial_run(&t, "seq 20000 | xargs touch");
    is_int(things_left(), 0, "so are 20,000 files");
    trial_release(&t);
}

static bool
is_scratch_empty(void *unused)
{
    (void)unused;
    return things_left() == 0;
}

static void
test_guard_killed(void)
{
    struct trial t;

    trial_run(&t, "touch here; kill -KILL $PPID; sleep 1000");
    is_int(t.end.cause, RUN_SIGNAL, "a handler that kills its guard fails");
    ok(trial_until(is_scratch_empty, NULL, 5000), "its folder is removed all the same");
    trial_release(&t);
}

/* --- its user -------------------------------------------------------------------------------- */

static void
test_user(void)
{
    const struct passwd *nobody = getpwnam("nobody");
    struct trial t;

    if (geteuid() != 0 || nobody == NULL) {
        ok(true, "another user # SKIP only root can");
        return;
    }
    prepare(&t, "id -u; id -ru; id -g; id -G; echo $USER $LOGNAME $HOME; stat -c '%u %a' $TMPDIR; "
                "touch ok && ls; grep -c 'NoNewPrivs:.1' /proc/self/status");
    t.handler.user = "nobody";
    run_it(&t);
    is_str(t.end.result,
           text("\"%u\\n%u\\n%u\\n%u\\nnobody nobody %s\\n%u 700\\nok\\n1\"", nobody->pw_uid,
                nobody->pw_uid, nobody->pw_gid, nobody->pw_gid, nobody->pw_dir, nobody->pw_uid),
           "it runs as the user, with the user's groups, home and folder");
    is_int(things_left(), 0, "which is removed");
    trial_release(&t);

    prepare(&t, "setsid sleep 1000 & kill -KILL $PPID || echo refused; "
                "kill -KILL $(cut -d' ' -f4 /proc/$PPID/stat) || echo refused");
    t.handler.user = "nobody";
    run_it(&t);
    is_str(t.end.result, "\"refused\\nrefused\"", "it cannot kill its guard nor its worker");
    is_int(child_processes(), 0, "but what it leaves behind is killed");
    trial_release(&t);

    prepare(&t, "echo 1");
    t.handler.user = "nobody";
    t.handler.workdir = "/root";
    run_it(&t);
    ok(t.end.cause == RUN_NO_START, "a workdir that the user may not enter is told");
    trial_release(&t);
}

static void
test_unknown_user(void)
{
    struct trial t;
    struct err err;

    prepare(&t, "echo 1");
    t.handler.user = "no-such-user";
    ok(!handler_start(&t.run, &err), "a user that does not exist cannot be run as");
    is_int(err.class, ERR_CONFIG, "that is a person's business");
    is_str(err.text, "user 'no-such-user' does not exist", "who is told");
    trial_release(&t);
}

/* A worker that is not root: a process of its own.  Its exit status is what look() returns. */
static int
as_nobody(int (*look)(void))
{
    int status = -1;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        struct ev_loop *loop = loop_after_fork();

        if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0 ||
            prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0) /* as a program that was just started */
            _exit(99);
        handler_init(loop, &(struct conf){.n_handlers = 0});
        _exit(look());
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
try_to_switch(void)
{
    struct trial t;

    prepare(&t, "echo 1");
    t.handler.user = "daemon";
    run_it(&t);
    return t.end.cause == RUN_NO_START && t.end.error != NULL &&
                   strcmp(t.end.error, "cannot run as user 'daemon': Operation not permitted") == 0
               ? 0
               : 1;
}

static void
test_no_right_to_switch(void)
{
    if (geteuid() != 0)
        ok(true, "a user that we may not become # SKIP only root can try");
    else
        is_int(as_nobody(try_to_switch), 0,
               "without the right to switch users a job does not start, and says why");
}

/* --- what it may reach -------------------------------------------------------------------------- */

#define PROBE                                                                                      \
    "use Socket; "                                                                                 \
    "print socket(my $u, AF_UNIX, SOCK_STREAM, 0) ? 1 : 0; "                                       \
    "print socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) ? 1 : 0; "                            \
    "print socket(my $i, AF_INET, SOCK_STREAM, 0) ? 1 : 0; "                                       \
    "print socket(my $j, AF_INET6, SOCK_DGRAM, 0) ? 1 : 0; "                                       \
    "print socket(my $n, 16, SOCK_RAW, 0) ? 1 : 0; "                                               \
    "print syscall(425, 8, 0) < 0 ? $! + 0 : \"made\";"

static void
test_network(void)
{
    struct trial t;

    prepare(&t, "exec perl -e '" PROBE "'");
    t.handler.network = CONF_NO;
    run_it(&t);
    is_str(t.end.result, "110001", "without network there are sockets of this host only");
    trial_release(&t);

    prepare(&t, "perl -e '" PROBE "'; grep Seccomp: /proc/self/status >&2");
    t.handler.network = CONF_YES;
    run_it(&t);
    ok(t.end.result != NULL && strncmp(t.end.result, "11111", 5) == 0, "with it there are all");
    trial_release(&t);
}

/* Looks at its guard and its worker, which have the same user, then at itself. */
#define PEEP                                                                                       \
    "for p in $PPID $(cut -d' ' -f4 /proc/$PPID/stat) $$; do "                                     \
    "for f in environ maps; do head -c 1 /proc/$p/$f >/dev/null && echo $f; done; "                \
    "ls /proc/$p/fd >/dev/null && echo fd; (: </proc/$p/mem) && echo mem; done; "                  \
    "cat /proc/self/oom_score_adj"

static int
try_to_peep(void)
{
    struct trial t;

    trial_run(&t, PEEP);
    if (t.end.result != NULL)
        fprintf(stderr, "peeped: %s\n", t.end.result);
    return t.end.result != NULL && strcmp(t.end.result, "\"environ\\nmaps\\nfd\\nmem\\n500\"") == 0
               ? 0
               : 1;
}

static void
test_hidden(void)
{
    if (geteuid() != 0)
        ok(true, "a handler that looks for secrets # SKIP only root can be somebody else");
    else
        is_int(as_nobody(try_to_peep), 0,
               "a handler of our user sees nothing of guard and worker, but itself; and the "
               "kernel would kill it first");
}

int
main(void)
{
    struct err err;

    trials_begin();
    scratch_end(); /* nobody else may make folders in that of root */
    test_hidden();
    test_no_right_to_switch();
    if (!scratch_begin(&err))
        return skip_all(err.text);
    test_cpu_time();
    test_memory();
    test_files();
    test_processes();
    test_folder_size();
    test_folder();
    test_guard_killed();
    test_user();
    test_unknown_user();
    test_network();
    trials_end();
    return done_testing();
}
