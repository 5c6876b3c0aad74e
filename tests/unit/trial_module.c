/*
 * A module for tests: each function does what its name says.  Built three times: as it
 * is, for a version that nobody knows (-DABI=99), and refusing to begin (-DREFUSES).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "pgcrew/handler.h"

#ifndef ABI
#define ABI PGCREW_MODULE_ABI
#endif

static int begun;

static void
nap(int ms)
{
    struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&wait, NULL);
}

static enum pgcrew_end
nothing(struct pgcrew_job *job)
{
    (void)job;
    return PGCREW_DONE;
}

static enum pgcrew_end
echo(struct pgcrew_job *job)
{
    return pgcrew_result(job, job->payload, job->payload_len);
}

/* The payload is a time, in microseconds of the monotonic clock: how long ago that was. */
static enum pgcrew_end
age(struct pgcrew_job *job)
{
    char *text = pgcrew_alloc(job, 30);
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, 30, "%lld", now.tv_sec * 1000000LL + now.tv_nsec / 1000 - atoll(job->payload));
    return pgcrew_result(job, text, strlen(text));
}

static enum pgcrew_end
facts(struct pgcrew_job *job)
{
    char *text = pgcrew_alloc(job, 300);

    snprintf(text, 300, "%lld %s %s %d/%d '%s' '%s' %lld %d", (long long)job->id, job->kind,
             job->queue, job->attempt, job->max_attempts, job->batch_id, job->user_id,
             (long long)job->timeout_ms, begun);
    return pgcrew_result(job, text, strlen(text));
}

static enum pgcrew_end
fail(struct pgcrew_job *job)
{
    pgcrew_log(job, "it was line %d", 12);
    return pgcrew_error(job, PGCREW_FAILED, "no such page\n");
}

static enum pgcrew_end
mute(struct pgcrew_job *job)
{
    (void)job;
    return PGCREW_FAILED;
}

static enum pgcrew_end
never(struct pgcrew_job *job)
{
    return pgcrew_error(job, PGCREW_NEVER, "not a picture");
}

static enum pgcrew_end
later(struct pgcrew_job *job)
{
    return pgcrew_error(job, PGCREW_LATER, "the printer is busy");
}

static enum pgcrew_end
in_a_minute(struct pgcrew_job *job)
{
    pgcrew_wait(job, 60000);
    return PGCREW_LATER;
}

static enum pgcrew_end
steps(struct pgcrew_job *job)
{
    pgcrew_progress(job, 150, "almost");
    nap(100);
    pgcrew_progress(job, -1, "waiting");
    nap(100);
    return PGCREW_DONE;
}

static enum pgcrew_end
patient(struct pgcrew_job *job)
{
    while (!pgcrew_cancelled(job))
        nap(5);
    return PGCREW_DONE;
}

static enum pgcrew_end
stubborn(struct pgcrew_job *job)
{
    (void)job;
    nap(600000);
    return PGCREW_DONE;
}

static enum pgcrew_end
crash(struct pgcrew_job *job)
{
    (void)job;
    raise(SIGSEGV);
    return PGCREW_DONE;
}

static enum pgcrew_end
leak(struct pgcrew_job *job)
{
    static char *volatile lost; /* or the compiler would not ask for it */

    (void)job;
    lost = malloc(64 << 20);
    for (int i = 0; lost != NULL && i < 64 << 20; i += 4096)
        lost[i] = 1;
    return lost != NULL ? PGCREW_DONE : PGCREW_FAILED;
}

/* {"file": "..."}: appends a line to it, and waits until the file has gone. */
/* Much memory for as long as it runs. */
static enum pgcrew_end
hoard(struct pgcrew_job *job)
{
    return leak(job) == PGCREW_DONE ? patient(job) : PGCREW_FAILED;
}

static enum pgcrew_end
wait_for_file(struct pgcrew_job *job)
{
    char path[200] = "";

    sscanf(job->payload, "{\"file\": \"%199[^\"]\"}", path);
    while (access(path, F_OK) == 0 && !pgcrew_cancelled(job))
        nap(2);
    return PGCREW_DONE;
}

/* Writes into a ledger as tests/lib/ledger/handler.sh does. */
static void
note(const char *ledger, const char *what, const struct pgcrew_job *job)
{
    char path[200], line[100];
    struct timespec now;
    int fd, len;

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(path, sizeof(path), "%s/lines", ledger);
    len = snprintf(line, sizeof(line), "%s %lld %d %lld.%06ld module\n", what, (long long)job->id,
                   job->attempt, (long long)now.tv_sec, now.tv_nsec / 1000);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || write(fd, line, (size_t)len) != len)
        abort();
    close(fd);
}

/* {"ms": 20, "ledger": "..."}: takes so long, and keeps the ledger; ends early when cancelled. */
static enum pgcrew_end
keep_ledger(struct pgcrew_job *job)
{
    char ledger[150] = "", lock[200];
    int ms = 0, fd;

    sscanf(job->payload, "{\"ms\": %d, \"ledger\": \"%149[^\"]\"}", &ms, ledger);
    snprintf(lock, sizeof(lock), "%s/locks/%lld", ledger, (long long)job->id);
    fd = open(lock, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        note(ledger, "twice", job);
    note(ledger, "begin", job);
    for (; ms > 0 && !pgcrew_cancelled(job); ms -= 5)
        nap(5);
    note(ledger, ms > 0 ? "killed" : "end", job);
    close(fd);
    return ms > 0 ? PGCREW_LATER : PGCREW_DONE;
}

static int
begin(void)
{
#ifdef REFUSES
    return 1;
#else
    begun++;
    return 0;
#endif
}

static const struct pgcrew_function functions[] = {
    {"nothing", nothing},
    {"echo", echo},
    {"age", age},
    {"facts", facts},
    {"fail", fail},
    {"mute", mute},
    {"never", never},
    {"later", later},
    {"in_a_minute", in_a_minute},
    {"steps", steps},
    {"patient", patient},
    {"stubborn", stubborn},
    {"crash", crash},
    {"leak", leak},
    {"hoard", hoard},
    {"wait_for_file", wait_for_file},
    {"keep_ledger", keep_ledger},
    {NULL, NULL},
};

__attribute__((visibility("default"))) extern const struct pgcrew_module pgcrew_module;
const struct pgcrew_module pgcrew_module = {
    .abi = ABI,
    .size = sizeof(struct pgcrew_module),
    .name = "trial 1",
    .functions = functions,
    .begin = begin,
};
