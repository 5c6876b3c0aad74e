#define _GNU_SOURCE 1
#include "act.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 100 };

/* How a kind behaves; "one of n" attempts ends so, 0: none does. */
struct manner {
    const char *kind;
    int ms; /* of work before the effect */
    int fails, crashes, laters, refuses;
};

/* clang-format off */
static const struct manner manners[] = {
    {"quick",    0,    .fails = 0},
    {"slow",     4500, .fails = 0},     /* longer than the lease */
    {"long",     8000, .fails = 0},     /* to be cancelled while it runs */
    {"flaky",    20,   .fails = 3},
    {"crashy",   10,   .crashes = 4},
    {"later",    5,    .laters = 3},
    {"never",    5,    .refuses = 2},
    {"hopeless", 5,    .fails = 1},
    {"chat",     10,   .fails = 10, .laters = 20},
    {"talker",   10,   .fails = 10, .crashes = 30},
    {"part",     5,    .fails = 10},
};
/* clang-format on */

static const struct manner *
manner_of(const char *kind)
{
    for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
        if (strcmp(manners[i].kind, kind) == 0)
            return &manners[i];
    }
    return &manners[0];
}

static int64_t
now_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
boot_id(char *ret, size_t size)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, ret, size - 1);

    ret[got < 0 ? 0 : got] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

/* A line that cannot be written whole would be a lie later on: rather no handler than that. */
static void
note(const struct act_job *job, const char *event)
{
    const char *path = getenv("CHAOS_LEDGER"), *daemon = getenv("CHAOS_DAEMON");
    char line[512], boot[40];
    int fd, len;

    boot_id(boot, sizeof(boot));
    len = snprintf(line, sizeof(line),
                   "{\"event\":\"%s\",\"job\":%lld,\"token\":%lld,\"attempt\":%d,\"kind\":\"%s\","
                   "\"daemon\":\"%s\",\"pid\":%d,\"mono\":%lld,\"real\":%lld,\"boot\":\"%s\"}\n",
                   event, (long long)job->id, (long long)job->token, job->attempt, job->kind,
                   daemon == NULL ? "" : daemon, (int)getpid(), (long long)now_ns(CLOCK_MONOTONIC),
                   (long long)now_ns(CLOCK_REALTIME), boot);
    fd = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || len >= (int)sizeof(line) || write(fd, line, (size_t)len) != len)
        _exit(70);
    close(fd);
}

/* Short naps by the clock: a process that was stopped meanwhile does not make up for it. */
static void
work(const struct act_job *job, int ms)
{
    for (int done = 0; done < ms; done += TICK_MS) {
        int part = ms - done < TICK_MS ? ms - done : TICK_MS;

        nanosleep(&(struct timespec){.tv_nsec = (long)part * 1000000}, NULL);
        if (ms <= TICK_MS)
            continue;
        note(job, "tick");
        if (job->progress != NULL)
            job->progress(job, 100 * done / ms);
    }
}

static bool
is_one_of(const struct act_job *job, int n, unsigned salt)
{
    uint64_t h = ((uint64_t)job->token * 1000003 + (uint64_t)job->id) * 0x9e3779b97f4a7c15u + salt;

    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return n > 0 && (h >> 33) % (unsigned)n == 0;
}

/* What a broken handler would do: its effect comes after its answer, if at all. */
static void
effect_afterwards(const struct act_job *job)
{
    if (fork() != 0)
        return;
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    note(job, "effect");
    _exit(0);
}

/* A file where nobody looks for it: a module's TMPDIR is the daemon's. */
static void
litter(const struct act_job *job)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    int fd;

    snprintf(path, sizeof(path), "%s/chaos-litter.%lld", folder == NULL ? "/tmp" : folder,
             (long long)job->id);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static bool
is_mutant(const char *name)
{
    const char *mutant = getenv("CHAOS_MUTANT");

    return mutant != NULL && strcmp(mutant, name) == 0;
}

enum act_end
act(const struct act_job *job)
{
    const struct manner *m = manner_of(job->kind);

    note(job, "start");
    work(job, m->ms);
    if (is_one_of(job, m->crashes, 1)) {
        note(job, "crash");
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    if (is_one_of(job, m->refuses, 2)) {
        note(job, "never");
        return ACT_NEVER;
    }
    if (is_one_of(job, m->laters, 3)) {
        note(job, "later");
        return ACT_LATER;
    }
    if (is_one_of(job, m->fails, 4)) {
        note(job, "failed");
        return ACT_FAILED;
    }
    if (is_mutant("litter"))
        litter(job);
    if (is_mutant("early"))
        effect_afterwards(job);
    else
        note(job, "effect");
    note(job, "done");
    return ACT_DONE;
}
