#include "base/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/proc.h"

/* A larger tree is ended in several rounds.  More than any limit of processes. */
#define MOST_IN_A_ROUND (128 * 1024)

struct tree {
    size_t n, threads;
    pid_t pids[MOST_IN_A_ROUND];
};

static bool
is_in(pid_t pid, const pid_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == pid)
            return true;
    }
    return false;
}

static void
add(struct tree *tree, pid_t pid, const pid_t *keep, size_t n_keep)
{
    if (pid > 1 && tree->n < MOST_IN_A_ROUND && !is_in(pid, keep, n_keep))
        tree->pids[tree->n++] = pid;
}

/* Adds the pids of one list: "812 813 ".  False when there is no such list. */
static bool
add_list(struct tree *tree, int dir, const char *path, const pid_t *keep, size_t n_keep)
{
    AUTO(fd) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    char text[4096];
    ssize_t len;
    pid_t pid = 0;

    if (fd < 0)
        return false;
    while ((len = read(fd, text, sizeof(text))) > 0) {
        for (ssize_t i = 0; i < len; i++) {
            if (text[i] >= '0' && text[i] <= '9') {
                pid = pid * 10 + (text[i] - '0');
            } else {
                add(tree, pid, keep, n_keep);
                pid = 0;
            }
        }
    }
    add(tree, pid, keep, n_keep);
    return true;
}

/* Every thread of a process has a list of its own. */
static void
add_children_of(struct tree *tree, pid_t parent, const pid_t *keep, size_t n_keep)
{
    AUTO(dir) DIR *tasks = NULL;
    const struct dirent *task;
    char path[300];

    snprintf(path, sizeof(path), "/proc/%d/task", (int)parent);
    tasks = opendir(path);
    while (tasks != NULL && (task = readdir(tasks)) != NULL) {
        if (task->d_name[0] == '.')
            continue;
        tree->threads++;
        snprintf(path, sizeof(path), "%s/children", task->d_name);
        add_list(tree, dirfd(tasks), path, keep, n_keep);
    }
}

static bool
is_zombie(pid_t child)
{
    siginfo_t info = {.si_pid = 0};

    return waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

static void
send(int sig, pid_t pid)
{
    pid_t group = getpgid(pid);

    kill(pid, sig);
    /* A handler is the leader of a session: no group below it can hold anybody else. */
    if (sig == SIGKILL && group > 1 && group != getpgrp())
        kill(-group, sig);
}

static struct tree below;

size_t
tree_threads(void)
{
    below.n = below.threads = 0;
    if (!add_list(&below, AT_FDCWD, "/proc/thread-self/children", NULL, 0))
        return proc_signal_descendants(0, NULL, 0);
    for (size_t i = 0; i < below.n; i++)
        add_children_of(&below, below.pids[i], NULL, 0);
    return below.threads;
}

size_t
tree_signal(int sig, const pid_t *keep, size_t n_keep)
{
    size_t direct, alive = 0;

    below.n = 0;
    if (!add_list(&below, AT_FDCWD, "/proc/thread-self/children", keep, n_keep)) {
        /* A kernel without CONFIG_PROC_CHILDREN. */
        return proc_signal_descendants(sig, keep, n_keep);
    }
    direct = below.n;
    for (size_t i = 0; i < direct; i++)
        alive += !is_zombie(below.pids[i]);
    for (size_t i = 0; i < below.n; i++)
        add_children_of(&below, below.pids[i], keep, n_keep);
    for (size_t i = 0; i < below.n; i++)
        send(sig, below.pids[i]);
    return alive;
}

int64_t
tree_rss_bytes(pid_t root)
{
    static struct tree tree;
    int64_t sum = 0;

    tree.n = 0;
    add_children_of(&tree, root, NULL, 0);
    for (size_t i = 0; i < tree.n; i++) {
        add_children_of(&tree, tree.pids[i], NULL, 0);
        sum += proc_rss_bytes(tree.pids[i]);
    }
    return sum;
}
