#include "base/delegation.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/cgroup.h"

#define LEAF "pgcrewd"
/* What was killed needs a moment to be gone. */
#define CLEAN_TRIES 200
#define CLEAN_PAUSE_NS (5 * 1000 * 1000)

static char home[PATH_MAX]; /* "": none */
static unsigned powers;

/* Adding a controller?  A limit for it is set in handler/cell.c. */
static const struct {
    const char *name;
    enum delegation_power power;
} controllers[] = {
    {"memory", DELEGATION_MEMORY},
    {"pids", DELEGATION_PIDS},
    {"cpu", DELEGATION_CPU},
};

/* --- where we are -------------------------------------------------------------------- */

/* Our group of version 2, as seen from the root of its hierarchy. */
static bool
own_group(char ret[PATH_MAX])
{
    AUTO(file) FILE *f = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX + 8];

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        return snprintf(ret, PATH_MAX, "%s", line + 3) < PATH_MAX;
    }
    return false;
}

/* Where that hierarchy is mounted, and which part of it: "... ROOT MOUNT options - cgroup2 ...". */
static bool
find_mount(char ret_root[PATH_MAX], char ret_mount[PATH_MAX])
{
    AUTO(file) FILE *f = fopen("/proc/self/mountinfo", "re");
    AUTO(mem) char *line = NULL;
    size_t size = 0;

    while (f != NULL && getline(&line, &size, f) >= 0) {
        if (strstr(line, " - cgroup2 ") != NULL && strlen(line) < PATH_MAX &&
            sscanf(line, "%*d %*d %*s %s %s", ret_root, ret_mount) == 2)
            return true;
    }
    return false;
}

static bool
own_folder(char ret[PATH_MAX])
{
    char group[PATH_MAX], root[PATH_MAX], mount[PATH_MAX];
    size_t skip;
    int len;

    if (!own_group(group) || !find_mount(root, mount))
        return false;
    skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(group, root, skip) != 0)
        return false;
    len = snprintf(ret, PATH_MAX, "%s%s", mount, group + skip);
    while (len > 1 && len < PATH_MAX && ret[len - 1] == '/')
        ret[--len] = '\0';
    return len < PATH_MAX;
}

/* --- is it ours? ------------------------------------------------------------------------ */

static bool
says_delegated(const char *path)
{
    char value[2] = "";

    return (getxattr(path, "user.delegate", value, 1) == 1 ||
            getxattr(path, "trusted.delegate", value, 1) == 1) &&
           value[0] == '1';
}

/* 0 is a process outside our namespace, so not us either. */
static bool
holds_only_us(int group)
{
    AUTO(file) FILE *f = NULL;
    int fd = openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC), pid;

    f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (f == NULL)
        return false;
    while (fscanf(f, "%d", &pid) == 1) {
        if (pid != getpid())
            return false;
    }
    return true;
}

/* NULL when it is. */
static const char *
why_not_ours(int group, const char *path)
{
    if (faccessat(group, "cgroup.type", F_OK, 0) < 0)
        return "the daemon runs in the root of all control groups";
    if (faccessat(group, "cgroup.procs", W_OK, AT_EACCESS) < 0 ||
        faccessat(group, "cgroup.subtree_control", W_OK, AT_EACCESS) < 0 ||
        faccessat(group, ".", W_OK, AT_EACCESS) < 0)
        return "its control group may not be written to";
    /* Root may write everywhere; only a service manager, or being alone, makes it ours. */
    if (geteuid() == 0 && getpid() != 1 && !says_delegated(path))
        return "its control group was not delegated to it";
    return holds_only_us(group) ? NULL : "it is not alone in its control group";
}

/* --- what an earlier daemon left behind -------------------------------------------------- */

static void
end_group(int parent, const char *name)
{
    struct timespec pause = {.tv_nsec = CLEAN_PAUSE_NS};
    AUTO(fd) int group = cgroup_open(parent, name);

    cgroup_kill(group);
    for (int i = 0; i < CLEAN_TRIES && !cgroup_remove(parent, name) && errno == EBUSY; i++)
        nanosleep(&pause, NULL);
}

static void
clean(const char *path)
{
    AUTO(dir) DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && strcmp(entry->d_name, LEAF) != 0)
            end_group(dirfd(dir), entry->d_name);
    }
}

/* --- taking it ---------------------------------------------------------------------------- */

static bool
has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
        if ((p == list || p[-1] == ' ') && (p[len] == '\0' || p[len] == ' ' || p[len] == '\n'))
            return true;
    }
    return false;
}

static unsigned
switch_on(int group)
{
    AUTO(fd) int fd = openat(group, "cgroup.controllers", O_RDONLY | O_CLOEXEC);
    char list[512] = "", order[32];
    unsigned ret = 0;

    if (fd < 0 || read(fd, list, sizeof(list) - 1) < 0)
        return 0;
    for (size_t i = 0; i < LENGTH(controllers); i++) {
        snprintf(order, sizeof(order), "+%s", controllers[i].name);
        if (has_word(list, controllers[i].name) &&
            cgroup_write(group, "cgroup.subtree_control", order))
            ret |= controllers[i].power;
    }
    return ret;
}

static bool
move_into_leaf(int group)
{
    AUTO(fd) int leaf = -1;

    if (mkdirat(group, LEAF, 0755) < 0 && errno != EEXIST)
        return false;
    leaf = cgroup_open(group, LEAF);
    return leaf >= 0 && cgroup_write(leaf, "cgroup.procs", "0");
}

static unsigned
powers_of(int group)
{
    AUTO(fd) int leaf = cgroup_open(group, LEAF);
    unsigned kill = faccessat(leaf, "cgroup.kill", W_OK, AT_EACCESS) == 0 ? DELEGATION_KILL : 0;

    return kill | switch_on(group);
}

/* A service manager may have put us into the leaf itself (DelegateSubgroup=pgcrewd). */
static bool
leave_leaf(char path[PATH_MAX])
{
    char *name = strrchr(path, '/');

    if (name == NULL || strcmp(name, "/" LEAF) != 0)
        return false;
    *name = '\0';
    return true;
}

bool
delegation_take(const char **ret_why)
{
    AUTO(fd) int group = -1;
    char path[PATH_MAX];
    const char *why = "this host has no control groups of version 2";
    bool in_leaf;

    if (own_folder(path)) {
        in_leaf = leave_leaf(path);
        group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        why = group < 0 ? "its control group cannot be opened" : why_not_ours(group, path);
        if (why == NULL && !in_leaf && !move_into_leaf(group))
            why = "it cannot make control groups";
    }
    if (why != NULL) {
        *ret_why = why;
        return false;
    }
    snprintf(home, sizeof(home), "%s", path);
    powers = powers_of(group);
    clean(path);
    return true;
}

/* --- for those forked later ------------------------------------------------------------ */

unsigned
delegation_powers(void)
{
    return powers;
}

const char *
delegation_text(void)
{
    static char text[64];

    text[0] = '\0';
    for (size_t i = 0; i < LENGTH(controllers); i++) {
        if ((powers & controllers[i].power) != 0)
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s, ", controllers[i].name);
    }
    if ((powers & DELEGATION_KILL) != 0)
        strcat(text, "kill, ");
    if (text[0] == '\0')
        return "none";
    text[strlen(text) - 2] = '\0';
    return text;
}

int
delegation_open(void)
{
    return home[0] != '\0' ? open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}
