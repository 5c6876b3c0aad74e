/* Control groups of version 2, as far as this host has them: its own root and no controllers will do. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/delegation.h"
#include "base/folder.h"
#include "tap.h"
#include "trial.h"

static char top[256]; /* a group of this test, below the root of the hierarchy */

static bool
has_version_2(void)
{
    static const char *const places[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};

    for (size_t i = 0; i < LENGTH(places); i++) {
        snprintf(top, sizeof(top), "%s/cgroup.controllers", places[i]);
        if (access(top, F_OK) < 0)
            continue;
        snprintf(top, sizeof(top), "%s/pgcrew-test-%d", places[i], (int)getpid());
        return mkdir(top, 0755) == 0;
    }
    return false;
}

static const char *
below(const char *name)
{
    static char paths[4][512];
    static unsigned next;
    char *ret = paths[next++ % LENGTH(paths)];

    snprintf(ret, sizeof(paths[0]), "%s/%s", top, name);
    return ret;
}

/* --- files ------------------------------------------------------------------------------- */

static void
test_reading(void)
{
    AUTO(fd) int dir = open(trial_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    close(openat(dir, "memory.peak", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    close(openat(dir, "memory.events", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    is_int(cgroup_read(dir, "memory.peak"), -1, "an empty file has no number");
    ok(cgroup_write_number(dir, "memory.peak", 536870912), "a number is written");
    is_int(cgroup_read(dir, "memory.peak"), 536870912, "and read");
    ok(cgroup_write(dir, "memory.events", "low 0\nmax 7\noom 2\noom_kill 3\n"), "lines");
    is_int(cgroup_read_word(dir, "memory.events", "low"), 0, "the first");
    is_int(cgroup_read_word(dir, "memory.events", "oom"), 2, "one whose name begins another's");
    is_int(cgroup_read_word(dir, "memory.events", "oom_kill"), 3, "the last");
    is_int(cgroup_read_word(dir, "memory.events", "oom_group_kill"), -1, "none");
    is_int(cgroup_read(dir, "missing"), -1, "a file that is missing has none");
    ok(!cgroup_write(dir, "missing", "1") && errno == ENOENT, "nor can it be written");
}

/* --- groups ------------------------------------------------------------------------------ */

/* A process in that group that forks one more, which leaves the session. */
static pid_t
fork_into(const char *group, int ret_ready[2])
{
    pid_t pid;

    if (pipe2(ret_ready, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        abort();
    if (pid == 0) {
        AUTO(fd) int dir = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (!cgroup_write(dir, "cgroup.procs", "0"))
            _exit(1);
        signal(SIGTERM, SIG_IGN);
        if (fork() == 0)
            setsid();
        if (write(ret_ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    return pid;
}

/* The pipe ends when the last of them is dead. */
static bool
all_die(int ready[2])
{
    char byte[4];
    ssize_t n;

    close(ready[1]);
    while ((n = read(ready[0], byte, sizeof(byte))) > 0)
        ;
    close(ready[0]);
    return n == 0;
}

/* Who has closed its end of the pipe is about to leave the group. */
static bool
is_removed(void *parent)
{
    return cgroup_remove(*(const int *)parent, "job") || errno == ENOENT;
}

static void
test_kill(void)
{
    AUTO(fd) int parent = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO(fd) int group = cgroup_make(parent, "job");
    char byte[2];
    int ready[2];
    pid_t pid;

    ok(group >= 0, "a group is made");
    ok(cgroup_make(parent, "job") < 0 && errno == EEXIST, "once");
    pid = fork_into(below("job"), ready);
    ok(read(ready[0], byte, 1) == 1 && read(ready[0], byte, 1) == 1, "two processes are in it");
    ok(!cgroup_remove(parent, "job") && errno == EBUSY, "so it cannot be removed");
    ok(cgroup_kill(group), "it is killed");
    ok(all_die(ready), "with all that is in it");
    waitpid(pid, NULL, 0);
    mkdirat(group, "one", 0755);
    mkdirat(group, "one/two", 0755);
    ok(trial_until(is_removed, &parent, 5000), "then it is removed, with those below it");
    ok(access(below("job"), F_OK) < 0, "it is gone");
}

/* --- what is ours ------------------------------------------------------------------------- */

/* In a process of its own, for what is taken stays: moves into the group first.  0: taken. */
static int
take_in(const char *group, bool delegated, bool alone)
{
    int status = -1;
    pid_t pid, other = 0;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        AUTO(fd) int dir = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const char *why = "?";
        bool taken;

        if (!cgroup_write(dir, "cgroup.procs", "0") ||
            (delegated && setxattr(group, "user.delegate", "1", 1, 0) < 0 &&
             setxattr(group, "trusted.delegate", "1", 1, 0) < 0))
            _exit(9);
        if (!alone && (other = fork()) == 0) {
            pause();
            _exit(0);
        }
        taken = delegation_take(&why);
        if (other > 0) {
            kill(other, SIGKILL);
            waitpid(other, NULL, 0); /* or the next one would not be alone */
        }
        if (!taken)
            _exit(strstr(why, "not delegated") != NULL ? 1 : strstr(why, "alone") != NULL ? 2 : 3);
        _exit((delegation_powers() & DELEGATION_KILL) != 0 &&
                      strstr(delegation_text(), "kill") != NULL &&
                      access(below("unit/pgcrewd/cgroup.procs"), F_OK) == 0 &&
                      delegation_open() >= 0
                  ? 0
                  : 4);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_delegation(void)
{
    AUTO(fd) int parent = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char byte[2];
    int ready[2];
    pid_t pid;

    mkdir(below("unit"), 0755);
    is_int(take_in(below("unit"), false, true), 1, "a group that nobody gave us is not taken");
    is_int(take_in(below("unit"), true, false), 2, "nor one in which others are");
    mkdir(below("unit/job-7"), 0755);
    pid = fork_into(below("unit/job-7"), ready);
    ok(read(ready[0], byte, 1) == 1 && read(ready[0], byte, 1) == 1,
       "a job of an earlier daemon still runs");
    is_int(take_in(below("unit"), true, true), 0, "one that was delegated is taken");
    ok(all_die(ready), "what an earlier daemon left in it is killed");
    waitpid(pid, NULL, 0);
    ok(access(below("unit/job-7"), F_OK) < 0, "and its group removed");
    is_int(take_in(below("unit/pgcrewd"), false, true), 0,
           "a daemon that is put into the leaf takes what is above");
    ok(cgroup_remove(parent, "unit"), "all of it can be removed");
}

/* A whole attempt in a group. */
static int
run_in_group(void)
{
    struct trial t;
    const char *why;
    AUTO(fd) int dir = open(below("unit"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t wrong = 0;

    if (!cgroup_write(dir, "cgroup.procs", "0") || !delegation_take(&why))
        return 9;
    trial_init(&t, "grep -o 'unit/job-4711-.*' /proc/self/cgroup; exec setsid sleep 1000 & :");
    t.handler.processes = 1000; /* a limit asks for a group */
    trial_start(&t);
    trial_wait(&t);
    if (t.end.cause != RUN_OK || t.end.result == NULL ||
        strstr(t.end.result, "unit/job-4711-") == NULL)
        wrong += 1;
    trial_release(&t);

    trial_init(&t, "echo no; exec 1>&-; exit 3");
    t.handler.processes = 1000;
    t.handler.program = "/no/such/program";
    trial_start(&t);
    trial_wait(&t);
    if (t.end.cause != RUN_NO_START ||
        strcmp(t.end.error, "program '/no/such/program' was not found") != 0)
        wrong += 2;
    trial_release(&t);

    trial_init(&t, "kill -KILL $PPID; sleep 1000");
    t.handler.processes = 1000;
    trial_start(&t);
    trial_wait(&t);
    if (t.end.cause != RUN_SIGNAL)
        wrong += 4;
    trial_release(&t);

    /* A bomb is killed as a whole. */
    trial_init(&t, "export S='sh -c \"$S\" & sh -c \"$S\" & wait'; sh -c \"$S\"");
    t.handler.processes = 50;
    trial_start(&t);
    trial_wait(&t);
    if (t.end.cause != RUN_LIMIT)
        wrong += 8;
    trial_release(&t);
    return (int)wrong;
}

static size_t
groups_in(const char *path)
{
    AUTO(dir) DIR *dir = opendir(path);
    const struct dirent *entry;
    size_t n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        n += entry->d_type == DT_DIR && entry->d_name[0] != '.';
    return n;
}

static void
test_attempts(void)
{
    int status = -1;
    pid_t pid;

    mkdir(below("unit"), 0755);
    if (setxattr(below("unit"), "user.delegate", "1", 1, 0) < 0)
        setxattr(below("unit"), "trusted.delegate", "1", 1, 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        loop_after_fork();
        _exit(run_in_group());
    }
    waitpid(pid, &status, 0);
    is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0,
           "attempts run, fail to start, and are killed in groups of their own");
    is_int(groups_in(below("unit")), 1, "of which none is left, only the daemon's");
    rmdir(below("unit/pgcrewd"));
    rmdir(below("unit"));
}

/* --- folders ------------------------------------------------------------------------------ */

static bool
at_once(void)
{
    return true;
}

static void
test_folders(void)
{
    AUTO(fd) int dir = open(trial_path("."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char name[64], data[4096] = "x";

    ok(folder_remove(dir, "missing"), "what is not there is removed");
    mkdirat(dir, "f", 0700);
    for (int i = 0; i < 600; i++) {
        int fd;

        snprintf(name, sizeof(name), "f/%d", i);
        fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (write(fd, data, sizeof(data)) < 0)
            abort();
        close(fd);
    }
    ok(folder_bytes(dir, "f", INT64_MAX, NULL) >= 600 * 4096, "what is in a folder is counted");
    ok(folder_bytes(dir, "f", 40960, NULL) < 60000, "up to what is enough");
    ok(folder_bytes(dir, "f", INT64_MAX, at_once) < 300 * 4096, "or until something else is to do");
    ok(symlinkat("f", dir, "l") == 0 && folder_bytes(dir, "l", INT64_MAX, NULL) == 0,
       "a link is not followed by it");
    ok(folder_remove(dir, "l") && faccessat(dir, "f/0", F_OK, 0) == 0,
       "nor removed by what it names");
    ok(folder_remove(dir, "f") && faccessat(dir, "f", F_OK, 0) < 0, "a folder is removed");
}

int
main(void)
{
    trials_begin();
    test_reading();
    test_folders();
    if (geteuid() != 0 || !has_version_2()) {
        ok(true,
           "groups # SKIP only root on a host with control groups of version 2 can make some");
    } else {
        test_kill();
        test_delegation();
        test_attempts();
        rmdir(top);
    }
    trials_end();
    return done_testing();
}
