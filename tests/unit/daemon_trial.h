/*
 * A supervisor with children that a test has made up, which it tells what to do by files in
 * a folder; and what is asked of that supervisor.
 */
#ifndef PGCREW_TESTS_DAEMON_TRIAL_H
#define PGCREW_TESTS_DAEMON_TRIAL_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "conf_file.h"
#include "ipc/ctl_client.h"
#include "supervisor/supervisor.h"
#include "tap.h"

static char socket_path[64];

/* --- notes between the test and the children ------------------------------------------ */

__attribute__((unused)) static const char *
in_dir(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", conf_dir, name);
    return path;
}

__attribute__((unused)) static void
note(const char *name)
{
    close(open(in_dir(name), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600));
}

__attribute__((unused)) static void
forget(const char *name)
{
    unlink(in_dir(name));
}

__attribute__((unused)) static bool
is_noted(const char *name)
{
    return access(in_dir(name), F_OK) == 0;
}

/* A line to a file, in one write, so that lines of several children do not mix. */
__attribute__((unused)) static void
tell(const char *name, const char *what, int a, int b)
{
    char line[64];
    int fd = open(in_dir(name), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    int len = snprintf(line, sizeof(line), "%s %d %d\n", what, a, b);

    if (write(fd, line, (size_t)len) != len)
        abort();
    close(fd);
}

__attribute__((unused)) static int
count_lines(const char *name, const char *beginning)
{
    AUTO(file) FILE *f = fopen(in_dir(name), "re");
    char line[200];
    int n = 0;

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        n += strncmp(line, beginning, strlen(beginning)) == 0;
    return n;
}

/* --- the daemon ----------------------------------------------------------------------- */

__attribute__((unused)) static pid_t
start_daemon_of(struct supervisor_plan plan)
{
    pid_t pid = fork();

    if (pid < 0)
        abort();
    if (pid == 0) {
        struct err err = {0};
        int log = open(in_dir("log"), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);

        plan.source.path = xstrdup(in_dir("conf"));
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(log, STDERR_FILENO);
        close_range(STDERR_FILENO + 1, ~0U, 0); /* nothing of the test's is held open */
        if (!conf_load(&plan.source, &plan.conf, &err)) {
            fprintf(stderr, "%s\n", err.text);
            _exit(77);
        }
        _exit(supervisor_main(&plan));
    }
    return pid;
}

__attribute__((unused)) static bool
ask(const char *method, struct ctl_answer *answer)
{
    struct err err = {0};

    return ctl_call(socket_path, method, NULL, answer, &err);
}

/* A number of stats: "workers.ready". */
__attribute__((unused)) static int64_t
stat_of(const char *group, const char *key)
{
    AUTO(ctl_answer) struct ctl_answer answer = {0};
    const msgpack_object *where = &answer.result;

    if (!ask("stats", &answer))
        return -1;
    return rpc_int(rpc_get(group != NULL ? rpc_get(where, group) : where, key), -1);
}

#define WAIT_FOR(condition, ms)                                                                    \
    ({                                                                                             \
        int64_t until_ = clock_mono_ms() + (ms);                                                   \
        while (!(condition) && clock_mono_ms() < until_)                                           \
            usleep(5000);                                                                          \
        (condition);                                                                               \
    })

/* A look-up that failed must never become a signal to everybody, which is what -1 means. */
__attribute__((unused)) static void
signal_child(pid_t pid, int sig)
{
    if (pid > 1)
        kill(pid, sig);
    else
        ok(false, "there is a child to be sent signal %d", sig);
}

__attribute__((unused)) static pid_t
pid_of(const char *role, uint32_t n)
{
    AUTO(ctl_answer) struct ctl_answer answer = {0};
    const msgpack_object *list;

    if (!ask("children", &answer))
        return -1;
    list = rpc_get(&answer.result, role);
    return list != NULL && n < list->via.array.size ? (pid_t)rpc_int(&list->via.array.ptr[n], -1)
                                                    : -1;
}

__attribute__((unused)) static int
end_of(pid_t daemon, int64_t limit_ms, int64_t *ret_took_ms)
{
    int64_t begin = clock_mono_ms();
    int status = -1;

    while (waitpid(daemon, &status, WNOHANG) == 0) {
        if (clock_mono_ms() - begin > limit_ms) {
            signal_child(daemon, SIGKILL);
            waitpid(daemon, &status, 0);
            break;
        }
        usleep(5000);
    }
    *ret_took_ms = clock_mono_ms() - begin;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Orphans come to us (we are a subreaper), so that being gone does not depend on who is process 1. */
__attribute__((unused)) static bool
is_gone(pid_t pid)
{
    waitpid(pid, NULL, WNOHANG);
    return kill(pid, 0) < 0 && errno == ESRCH;
}

__attribute__((unused)) static void
show_log(void)
{
    AUTO(file) FILE *f = fopen(in_dir("log"), "re");
    char line[500];

    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        printf("# %s", line);
}

#endif
