/*
 * The daemon of the bench: the real supervisor, janitor and workers, as configured but for
 * where the queue is and what runs its jobs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "bench/internal.h"
#include "bench/nothing.h"
#include "janitor/janitor.h"
#include "supervisor/supervisor.h"
#include "worker/worker.h"

#define START_MS 30000
#define STOP_MS 30000
#define LOOK_MS 20
/* The path of a socket has little room. */
#define FOLDER_MAX 64
/* A reload fails by this: another configuration would be of the real queue. */
#define NO_FILE "/dev/null/pgcrew-bench"

static const char *const kinds[] = {KIND_NOTHING, KIND_STAMPED, NULL}; /* sorted */
static const char *const queues[] = {"default", NULL};

/* Of this daemon's control socket; "": not made yet. */
static char folder[FOLDER_MAX + 32], control[FOLDER_MAX + 64], lock[FOLDER_MAX + 64];

static void
remove_folder(void)
{
    unlink(control);
    unlink(lock);
    rmdir(folder);
}

static struct handler_conf
handler_of(const struct conf *conf, const char *kind)
{
    static const char *const none[] = {NULL};

    return (struct handler_conf){
        .kind = kind,
        .way = CONF_MODULE,
        .timeout_ms = conf->timeout_ms,
        .retry_first_ms = conf->retry_first_ms,
        .retry_max_ms = conf->retry_max_ms,
        .tempfail_max = conf->tempfail_max,
        .keep_attempts = conf->keep_attempts,
        .envp = none,
        .env = {none, 0},
        .headers = {none, 0},
    };
}

/* In the daemon's own process: the supervisor frees what this process has inherited. */
static struct conf *
configure(const struct bench *b, int claim_max)
{
    static struct handler_conf handlers[LENGTH(kinds) - 1];
    struct conf *conf = xmalloc(sizeof(*conf));

    *conf = *b->conf;
    for (size_t i = 0; i < LENGTH(handlers); i++)
        handlers[i] = handler_of(conf, kinds[i]);
    conf->name = arena_printf(&conf->arena, "bench.%d", (int)getpid());
    conf->schema = BENCH_SCHEMA;
    conf->db_role = NULL; /* the login owns the schema */
    conf->workers = b->plan->workers;
    if (claim_max > 0)
        conf->claim_max = claim_max;
    conf->queues = (struct conf_list){queues, LENGTH(queues) - 1};
    conf->handlers = handlers;
    conf->n_handlers = LENGTH(handlers);
    conf->kinds = (struct conf_list){kinds, LENGTH(kinds) - 1};
    conf->any_kind = false;
    conf->socket_path = control;
    conf->socket_group = NULL;
    conf->log_level = LOG_LEVEL_WARN;
    return conf;
}

static const char *
temporary_folder(void)
{
    const char *dir = getenv("TMPDIR");

    return dir != NULL && dir[0] == '/' && strlen(dir) <= FOLDER_MAX ? dir : "/tmp";
}

/* Told to end before the supervisor watches for signals: it has done nothing yet. */
static void
on_early_signal(int number)
{
    (void)number;
    remove_folder();
    _exit(0);
}

static bool
make_folder(void)
{
    char path[sizeof(folder)];

    snprintf(path, sizeof(path), "%s/pgcrew-bench-XXXXXX", temporary_folder());
    if (mkdtemp(path) == NULL)
        return false;
    memcpy(folder, path, sizeof(folder));
    snprintf(control, sizeof(control), "%s/control.sock", folder);
    snprintf(lock, sizeof(lock), "%s/control.sock.lock", folder);
    return true;
}

static void NORETURN
be_daemon(const struct bench *b, int claim_max, pid_t parent)
{
    struct supervisor_plan plan = {
        .source = {.path = NO_FILE},
        .worker_main = worker_main,
        .janitor_main = janitor_main,
    };
    int status;

    close_range(STDERR_FILENO + 1, ~0U, 0);
    signal(SIGINT, on_early_signal);
    signal(SIGTERM, on_early_signal);
    if (!proc_die_with_parent(SIGINT, parent) || !make_folder())
        _exit(1);
    /* Who started us as a service is not told of this daemon. */
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    way_put(CONF_MODULE, &way_nothing);
    plan.conf = configure(b, claim_max);
    status = supervisor_main(&plan);
    remove_folder();
    _exit(status);
}

bool
daemon_is_there(struct bench *b, struct err *err)
{
    int status;

    if (waitpid(b->daemon, &status, WNOHANG) != b->daemon)
        return true;
    b->daemon = 0;
    return err_set(err, ERR_PERMANENT, "the daemon of the bench has ended by itself");
}

/* Until every worker is a lease holder. */
static bool
wait_for_workers(struct bench *b, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + START_MS;
    double there = 0;

    while (there < b->plan->workers) {
        pause_ms(LOOK_MS);
        if (!daemon_is_there(b, err) ||
            !bench_number(b->db, "select count(*) from pgcrew.workers", &there, err))
            return false;
        if (clock_mono_ms() > until_ms)
            return err_set(err, ERR_RETRY, "only %d of %d workers came up within %d s", (int)there,
                           b->plan->workers, START_MS / 1000);
    }
    return true;
}

bool
daemon_start(struct bench *b, int claim_max, struct err *err)
{
    pid_t parent = getpid();

    bench_drop_session(b);
    b->daemon = fork();
    if (b->daemon == 0)
        be_daemon(b, claim_max, parent);
    if (b->daemon < 0) {
        b->daemon = 0;
        return err_errno(err, ERR_RETRY, "cannot fork");
    }
    return bench_need_session(b, err) && wait_for_workers(b, err);
}

bool
daemon_stop(struct bench *b, struct err *err)
{
    int64_t until_ms = clock_mono_ms() + STOP_MS;
    pid_t daemon = b->daemon;
    int status = 0;

    kill(daemon, SIGTERM);
    while (waitpid(daemon, &status, WNOHANG) != daemon) {
        if (clock_mono_ms() > until_ms)
            return err_set(err, ERR_RETRY, "the daemon of the bench did not end within %d s",
                           STOP_MS / 1000);
        pause_ms(LOOK_MS);
    }
    b->daemon = 0;
    if (status != 0)
        return err_set(err, ERR_PERMANENT, "the daemon of the bench did not end well");
    return true;
}
