#include "trial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "base/scratch.h"

static char folder[] = "/tmp/pgcrew-trial-XXXXXX";
static struct arena paths;

/* What knows no handler yet; it is kept for as long as the process lives. */
static const struct conf no_handlers = {.n_handlers = 0};

void
trials_begin(void)
{
    int fd;

    if (mkdtemp(folder) == NULL)
        abort();
    arena_init(&paths);
    fd = open(trial_path("log"), O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
        abort();
    close(fd);
    if (!scratch_begin(NULL))
        abort();
    handler_init(loop_get(), &no_handlers);
}

void
trials_end(void)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    scratch_end();
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir != NULL)
        closedir(dir);
    rmdir(folder);
    arena_release(&paths);
}

const char *
trial_path(const char *name)
{
    return arena_printf(&paths, "%s/%s", folder, name);
}

const char *
trial_log(void)
{
    static char text[4 * 1024 * 1024];
    int fd = open(trial_path("log"), O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;

    close(fd);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void
on_progress(struct run *run, float percent, const char *note)
{
    struct trial *t = run->owner;

    t->n_progress++;
    t->percent = percent;
    snprintf(t->note, sizeof(t->note), "%s", note != NULL ? note : "");
}

static void
on_ended(struct run *run, const struct run_end *end)
{
    struct trial *t = run->owner;

    t->n_ended++;
    t->ended = true;
    t->end = *end;
}

void
trial_init(struct trial *t, const char *script)
{
    static const struct run_events events = {.progress = on_progress, .ended = on_ended};

    memset(t, 0, sizeof(*t));
    t->conf = (struct conf){.result_max = 1 << 20,
                            .stderr_tail = 4096,
                            .log_line_max = 1024,
                            .grace_ms = 200,
                            .handlers = &t->handler,
                            .n_handlers = 1};
    t->argv[0] = "sh";
    t->argv[1] = "-c";
    t->argv[2] = script;
    t->envp[0] = arena_printf(&paths, "PIDS=%s/pids", folder);
    t->handler = (struct handler_conf){.kind = "mail",
                                       .program = "/bin/sh",
                                       .argv = t->argv,
                                       .envp = t->envp,
                                       .timeout_ms = 60000};
    arena_init(&t->run.arena);
    t->run.job = (struct job){.id = 4711,
                              .token = 99,
                              .kind = "mail",
                              .queue = "default",
                              .attempt = 1,
                              .max_attempts = 5,
                              .batch_id = "",
                              .user_id = "",
                              .origin = "5f3a",
                              .payload = "{\"a\": 1}",
                              .payload_len = 8};
    t->run.handler = &t->handler;
    t->run.conf = &t->conf;
    t->run.loop = loop_get();
    t->run.events = &events;
    t->run.owner = t;
}

void
trial_start(struct trial *t)
{
    struct err err;

    if (!handler_start(&t->run, &err)) {
        printf("# handler_start: %s\n", err.text);
        abort();
    }
}

static void
on_tick(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)loop;
    (void)w;
    (void)events;
}

/* Under valgrind everything takes its time. */
static int64_t
patience(void)
{
    const char *times = getenv("PGCREW_PATIENCE");

    return times != NULL && atoi(times) > 0 ? atoi(times) : 1;
}

bool
trial_until(bool (*condition)(void *), void *what, int64_t ms)
{
    int64_t until_mono = clock_mono_ms() + ms * patience();
    struct ev_loop *loop = loop_get();
    ev_timer tick;

    loop_timer_init(&tick, on_tick);
    tick.repeat = 0.01; /* conditions that are no event of the loop are looked at so often */
    ev_timer_again(loop, &tick);
    while (!condition(what) && clock_mono_ms() < until_mono)
        ev_run(loop, EVRUN_ONCE);
    ev_timer_stop(loop, &tick);
    return condition(what);
}

static bool
has_ended(void *trial)
{
    const struct trial *t = trial;

    return t->ended;
}

void
trial_wait(struct trial *t)
{
    if (!trial_until(has_ended, t, 30000))
        printf("# the attempt did not end in 30 s\n");
}

void
trial_release(struct trial *t)
{
    handler_forget(&t->run);
    arena_release(&t->run.arena);
}

void
trial_run(struct trial *t, const char *script)
{
    trial_init(t, script);
    trial_start(t);
    trial_wait(t);
}

/* --- pids ---------------------------------------------------------------------------- */

void
pids_forget(void)
{
    unlink(trial_path("pids"));
}

static bool
lives(pid_t pid)
{
    char path[64], line[512];
    AUTO(file) FILE *f = NULL;
    const char *after;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (f == NULL || fgets(line, sizeof(line), f) == NULL)
        return false;
    after = strrchr(line, ')');
    return after != NULL && after[2] != 'Z' && after[2] != 'X';
}

static size_t
count_pids(bool (*counts)(pid_t))
{
    AUTO(file) FILE *f = fopen(trial_path("pids"), "re");
    size_t n = 0;
    int pid;

    while (f != NULL && fscanf(f, "%d", &pid) == 1)
        n += counts == NULL || counts(pid);
    return n;
}

size_t
pids_written(void)
{
    return count_pids(NULL);
}

size_t
pids_alive(void)
{
    return count_pids(lives);
}

bool
are_pids_written(void *at_least)
{
    return pids_written() >= *(const size_t *)at_least;
}

bool
are_pids_dead(void *unused)
{
    (void)unused;
    return pids_alive() == 0;
}

/* --- leaks --------------------------------------------------------------------------- */

size_t
open_descriptors(void)
{
    AUTO(dir) DIR *dir = opendir("/proc/self/fd");
    size_t n = 0;

    while (dir != NULL && readdir(dir) != NULL)
        n++;
    return n;
}

size_t
child_processes(void)
{
    AUTO(file) FILE *f = fopen("/proc/thread-self/children", "re");
    size_t n = 0;
    int pid;

    while (f != NULL && fscanf(f, "%d", &pid) == 1)
        n++;
    return n;
}
