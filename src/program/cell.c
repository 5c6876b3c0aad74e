#include "program/cell.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/clock.h"
#include "base/delegation.h"
#include "base/fault.h"
#include "base/folder.h"
#include "base/tree.h"
#include "program/places.h"

#define COUNT_EVERY_MS 100
#define MEASURE_EVERY_MS 200
/* Measuring a large folder takes the guard a tenth of its time at most. */
#define MEASURE_SHARE 10
#define CPU_PERIOD_US 100000

/* --- making it ---------------------------------------------------------------------- */

static const char *
folder_of(const struct cell *cell)
{
    return place_path(cell->confine->place);
}

static uid_t
owner_of(const struct confine *c)
{
    return c->user != NULL ? c->user->uid : geteuid();
}

/* Is there the empty folder of the last one, as it should be?  It might have removed it. */
static bool
is_made(const struct cell *cell)
{
    struct stat st;

    return place_is_made(cell->confine->place) && lstat(folder_of(cell), &st) == 0 &&
           S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0700 &&
           st.st_uid == owner_of(cell->confine);
}

static enum guard_step
make_folder(const struct cell *cell)
{
    const struct confine_user *user = cell->confine->user;
    const char *path = folder_of(cell);

    if (is_made(cell))
        return GUARD_STARTED;
    if (!folder_remove(AT_FDCWD, path) || fault_fails("cell.folder", ENOSPC) ||
        mkdir(path, 0700) < 0)
        return GUARD_FOLDER;
    /* Who may not give it away may not switch users either. */
    if (user != NULL && chown(path, user->uid, user->gid) < 0)
        return GUARD_USER;
    return GUARD_STARTED;
}

static bool
limit_memory(int group, size_t bytes)
{
    if (!cgroup_write_number(group, "memory.max", (int64_t)bytes))
        return false;
    /* There is none where the kernel does not count swap. */
    if (!cgroup_write(group, "memory.swap.max", "0") && errno != ENOENT)
        return false;
    return cgroup_write(group, "memory.oom.group", "1");
}

static bool
limit_cpu(int group, int percent)
{
    char text[48];

    snprintf(text, sizeof(text), "%" PRId64 " %d", (int64_t)percent * (CPU_PERIOD_US / 100),
             CPU_PERIOD_US);
    return cgroup_write(group, "cpu.max", text);
}

static bool
limit_group(int group, const struct handler_conf *h)
{
    unsigned powers = delegation_powers();

    if (h->memory > 0 && (powers & DELEGATION_MEMORY) != 0 && !limit_memory(group, h->memory))
        return false;
    if (h->processes > 0 && (powers & DELEGATION_PIDS) != 0 &&
        !cgroup_write_number(group, "pids.max", h->processes))
        return false;
    return h->cpu_percent == 0 || (powers & DELEGATION_CPU) == 0 ||
           limit_cpu(group, h->cpu_percent);
}

static bool
make_group(struct cell *cell)
{
    const char *name = cell->confine->name;

    if (fault_fails("cell.group", ENOSPC))
        return false;
    cell->groups = delegation_open();
    cell->group = cgroup_make(cell->groups, name);
    if (cell->group < 0 && errno == EEXIST && cgroup_remove(cell->groups, name))
        cell->group = cgroup_make(cell->groups, name);
    fault_here("cell.grouped");
    return cell->group >= 0 && limit_group(cell->group, cell->confine->limits);
}

static bool
counts_processes(const struct cell *cell)
{
    return cell->confine->limits->processes > 0 && (delegation_powers() & DELEGATION_PIDS) == 0;
}

enum guard_step
cell_make(struct cell *cell, const struct confine *confine)
{
    enum guard_step step;

    *cell = (struct cell){.confine = confine, .groups = -1, .group = -1};
    step = make_folder(cell);
    if (step == GUARD_STARTED && confine->group && !make_group(cell))
        step = GUARD_GROUP;
    if (step != GUARD_STARTED)
        return step;
    if (counts_processes(cell))
        cell->check_mono_ms = clock_mono_ms() + COUNT_EVERY_MS;
    else if (confine->limits->tmp_size > 0)
        cell->check_mono_ms = clock_mono_ms() + MEASURE_EVERY_MS;
    return GUARD_STARTED;
}

/* --- the program -------------------------------------------------------------------- */

pid_t
cell_fork(const struct cell *cell)
{
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP | CLONE_VFORK,
        .exit_signal = SIGCHLD,
        .cgroup = (uint64_t)cell->group,
    };

    return cell->group < 0 ? -1 : (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

bool
cell_enter(const struct cell *cell)
{
    return cell->group < 0 || cgroup_write(cell->group, "cgroup.procs", "0");
}

void
cell_offer(pid_t program)
{
    const char *score = confine_oom_score();
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)program);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        /* A program that has ended meanwhile needs none. */
        ssize_t ignored = write(fd, score, strlen(score));

        (void)ignored;
        close(fd);
    }
}

/* --- while it runs -------------------------------------------------------------------- */

int64_t
cell_wait_ms(const struct cell *cell)
{
    int64_t ms = cell->check_mono_ms - clock_mono_ms();

    if (cell->check_mono_ms == 0)
        return -1;
    return ms > 0 ? ms : 0;
}

static bool
is_signal_waiting(void)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 && !sigisemptyset(&waiting);
}

static bool
is_folder_full(struct cell *cell, int64_t now_ms)
{
    int64_t most = (int64_t)cell->confine->limits->tmp_size, bytes, wait_ms;

    if (most == 0 || now_ms < cell->measure_mono_ms)
        return false;
    bytes = folder_bytes(AT_FDCWD, folder_of(cell), most, is_signal_waiting);
    wait_ms = (clock_mono_ms() - now_ms) * MEASURE_SHARE;
    cell->measure_mono_ms = now_ms + (wait_ms > MEASURE_EVERY_MS ? wait_ms : MEASURE_EVERY_MS);
    return bytes > most;
}

enum guard_limit
cell_check(struct cell *cell)
{
    int64_t now_ms = clock_mono_ms();

    if (cell->check_mono_ms == 0 || now_ms < cell->check_mono_ms)
        return GUARD_NO_LIMIT;
    if (counts_processes(cell) && tree_threads() > (size_t)cell->confine->limits->processes)
        return GUARD_PROCESSES;
    if (is_folder_full(cell, now_ms))
        return GUARD_TMP_SIZE;
    cell->check_mono_ms = counts_processes(cell) ? now_ms + COUNT_EVERY_MS : cell->measure_mono_ms;
    return GUARD_NO_LIMIT;
}

bool
cell_kill(const struct cell *cell)
{
    return cell->group >= 0 && cgroup_kill(cell->group);
}

/* --- the end ---------------------------------------------------------------------------- */

void
cell_read(const struct cell *cell, struct guard_report *report)
{
    int64_t peak, user_us;

    if (cell->group < 0)
        return;
    peak = cgroup_read(cell->group, "memory.peak");
    user_us = cgroup_read_word(cell->group, "cpu.stat", "user_usec");
    if (peak >= 0)
        report->max_rss_bytes = peak;
    if (user_us >= 0) {
        report->user_ms = user_us / 1000;
        report->system_ms = cgroup_read_word(cell->group, "cpu.stat", "system_usec") / 1000;
    }
    if (cgroup_read_word(cell->group, "memory.events", "oom_kill") > 0)
        report->limit = GUARD_MEMORY;
    else if (report->limit == GUARD_NO_LIMIT &&
             cgroup_read_word(cell->group, "pids.events", "max") > 0)
        report->limit = GUARD_PROCESSES;
}

bool
cell_clear(const struct cell *cell)
{
    if (cell->group >= 0)
        cgroup_remove(cell->groups, cell->confine->name);
    return folder_empty(AT_FDCWD, folder_of(cell));
}
