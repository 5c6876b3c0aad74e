#include "base/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define MOST_PROCESSES 4096

struct process {
    pid_t pid, parent;
    char state;
};

static bool
read_stat(const char *pid_text, struct process *ret)
{
    char path[64], text[512], *after;
    AUTO(fd) int fd = -1;
    ssize_t len;
    int parent;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid_text);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (len <= 0)
        return false;
    text[len] = '\0';
    /* The name in parentheses may hold anything, even parentheses and line ends. */
    after = strrchr(text, ')');
    if (after == NULL || sscanf(after + 1, " %c %d", &ret->state, &parent) != 2)
        return false;
    ret->pid = (pid_t)atoi(pid_text);
    ret->parent = (pid_t)parent;
    return true;
}

bool
proc_parent(pid_t pid, pid_t *ret)
{
    struct process process;
    char text[16];

    snprintf(text, sizeof(text), "%d", (int)pid);
    if (!read_stat(text, &process))
        return false;
    *ret = process.parent;
    return true;
}

static size_t
list_processes(struct process *ret, size_t max)
{
    AUTO(dir) DIR *proc = opendir("/proc");
    const struct dirent *entry;
    size_t n = 0;

    while (proc != NULL && n < max && (entry = readdir(proc)) != NULL) {
        if (isdigit((unsigned char)entry->d_name[0]) && read_stat(entry->d_name, &ret[n]) &&
            ret[n].state != 'Z' && ret[n].state != 'X')
            n++;
    }
    return n;
}

size_t
proc_children(pid_t parent, pid_t *ret, size_t max)
{
    AUTO(mem) struct process *all = xcalloc(MOST_PROCESSES, sizeof(*all));
    size_t n = list_processes(all, MOST_PROCESSES), found = 0;

    for (size_t i = 0; i < n && found < max; i++) {
        if (all[i].parent == parent)
            ret[found++] = all[i].pid;
    }
    return found;
}

static bool
is_in(pid_t pid, const pid_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == pid)
            return true;
    }
    return false;
}

/* Adds to tree[] all processes whose parent is in it, until nothing is added. */
static size_t
grow_tree(const struct process *all, size_t n, pid_t *tree, size_t n_tree, const pid_t *keep,
          size_t n_keep)
{
    for (size_t before = 0; before != n_tree;) {
        before = n_tree;
        for (size_t i = 0; i < n; i++) {
            if (is_in(all[i].parent, tree, n_tree) && !is_in(all[i].pid, tree, n_tree) &&
                !is_in(all[i].pid, keep, n_keep) && n_tree < MOST_PROCESSES)
                tree[n_tree++] = all[i].pid;
        }
    }
    return n_tree;
}

size_t
proc_signal_descendants(int sig, const pid_t *keep, size_t n_keep)
{
    AUTO(mem) struct process *all = xcalloc(MOST_PROCESSES, sizeof(*all));
    AUTO(mem) pid_t *tree = xcalloc(MOST_PROCESSES, sizeof(*tree));
    size_t n = list_processes(all, MOST_PROCESSES), n_tree;

    tree[0] = getpid();
    n_tree = grow_tree(all, n, tree, 1, keep, n_keep);
    for (size_t i = 1; i < n_tree; i++)
        kill(tree[i], sig);
    return n_tree - 1;
}

int64_t
proc_read_bytes(int fd, const char *key)
{
    char text[8192];
    ssize_t len = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : 0;
    const char *at;
    int64_t kib, bytes;

    text[len > 0 ? len : 0] = '\0';
    for (at = strstr(text, key); at != NULL; at = strstr(at + 1, key)) {
        if ((at == text || at[-1] == '\n') && sscanf(at + strlen(key), "%" SCNd64, &kib) == 1)
            return kib < 0 || __builtin_mul_overflow(kib, 1024, &bytes) ? 0 : bytes;
    }
    return 0;
}

static int64_t
read_bytes(pid_t pid, const char *file, const char *key)
{
    AUTO(fd) int fd = -1;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return proc_read_bytes(fd, key);
}

/* Asks no file: it works where /proc hides processes, too. */
int64_t
proc_cpu_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec used;

    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) < 0)
        return 0;
    return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

int64_t
proc_pss_bytes(pid_t pid)
{
    return read_bytes(pid, "smaps_rollup", "Pss:");
}

int64_t
proc_rss_bytes(pid_t pid)
{
    return read_bytes(pid, "status", "VmRSS:");
}

int64_t
proc_anon_bytes(pid_t pid)
{
    return read_bytes(pid, "status", "RssAnon:");
}

void
proc_reset_signals(void)
{
    struct sigaction act = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &act, NULL); /* KILL and STOP refuse: nothing to reset there */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

bool
proc_die_with_parent(int sig, pid_t expected_parent)
{
    /* The order matters: a parent that died before the prctl is seen by getppid. */
    return prctl(PR_SET_PDEATHSIG, sig) == 0 && getppid() == expected_parent;
}

void
proc_hide(void)
{
    prctl(PR_SET_DUMPABLE, 0);
}

void
proc_hide_argument(char *argument)
{
    memset(argument, '*', strlen(argument));
}

static char *title_start;
static size_t title_room;

void
proc_title_init(int argc, char **argv)
{
    /* Arguments lie one after the other; only their bytes are used, the environment stays. */
    if (argc < 1)
        return;
    title_start = argv[0];
    title_room = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
}

void
proc_title_set(const char *title)
{
    const char *short_name = strstr(title, ": ");

    prctl(PR_SET_NAME, short_name != NULL ? short_name + 2 : title);
    if (title_start == NULL)
        return;
    memset(title_start, 0, title_room + 1);
    snprintf(title_start, title_room + 1, "%s", title);
}
