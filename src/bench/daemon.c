/*
 * The daemon of the bench: the real supervisor, janitor and workers, as configured but for
 * where the queue is and what runs its jobs.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "bench/internal.h"
#include "bench/nothing.h"
#include "janitor/janitor.h"
#include "supervisor/supervisor.h"
#include "worker/worker.h"

#define START_MS 30000
#define LOOK_MS 20
/* A reload fails by this: another configuration would be of the real queue. */
#define NO_FILE "/dev/null/pgcrew-bench"

static const char *const kinds[] = {KIND_NOTHING, KIND_STAMPED, NULL}; /* sorted */
static const char *const queues[] = {"default", NULL};

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
configure(const struct bench *b, int claim_max, const char *folder)
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
    conf->socket_path = arena_printf(&conf->arena, "%s/control.sock", folder);
    conf->socket_group = NULL;
    conf->log_level = LOG_LEVEL_WARN;
    return conf;
}

static void
remove_folder(const char *folder)
{
    AUTO(mem) char *lock = xasprintf("%s/control.sock.lock", folder);

    unlink(lock);
    rmdir(folder);
}

static void NORETURN
be_daemon(const struct bench *b, int claim_max, pid_t parent)
{
    const char *dir = getenv("TMPDIR");
    AUTO(mem)
    char *folder = xasprintf("%s/pgcrew-bench-XXXXXX", dir != NULL && dir[0] == '/' ? dir : "/tmp");
    struct supervisor_plan plan = {
        .source = {.path = NO_FILE},
        .worker_main = worker_main,
        .janitor_main = janitor_main,
    };
    int status;

    close_range(STDERR_FILENO + 1, ~0U, 0);
    if (!proc_die_with_parent(SIGINT, parent) || mkdtemp(folder) == NULL)
        _exit(1);
    way_put(CONF_MODULE, &way_nothing);
    plan.conf = configure(b, claim_max, folder);
    status = supervisor_main(&plan);
    remove_folder(folder);
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
    const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
    int64_t until_ms = clock_mono_ms() + START_MS;
    double there = 0;

    while (there < b->plan->workers) {
        nanosleep(&pause, NULL);
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
    int status = 0;

    kill(b->daemon, SIGTERM);
    while (waitpid(b->daemon, &status, 0) < 0 && errno == EINTR)
        continue;
    b->daemon = 0;
    if (status != 0)
        return err_set(err, ERR_PERMANENT, "the daemon of the bench did not end well");
    return true;
}
