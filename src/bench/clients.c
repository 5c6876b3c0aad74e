/*
 * What several connections can do at best on a bare table, to set our figures against.
 *
 * Each client is a process.  It connects, says so, and begins when its pipe is closed.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/proc.h"
#include "bench/internal.h"

/* Shared with the clients. */
struct crowd {
    const struct crowd_plan *plan;
    atomic_llong taken; /* rows */
};

typedef bool client_body(struct crowd *crowd, struct session *db, struct err *err);

/* --- what a client does -------------------------------------------------------------- */

static bool
prepare(const struct crowd_plan *plan, struct session *db, struct err *err)
{
    char take[300], mark[400], insert[200];

    snprintf(take, sizeof(take),
             "delete from pgcrew.bench_bare where id = any (array(select id from pgcrew.bench_bare "
             "order by id limit %lld for update skip locked)) returning id, payload",
             (long long)plan->batch);
    snprintf(mark, sizeof(mark),
             "with u as (update pgcrew.bench_marked set state = 1 where id = any (array(select id "
             "from pgcrew.bench_marked where state = 0 order by id limit %lld for update skip "
             "locked)) returning id, payload) select count(*), array_agg(id) from u",
             (long long)plan->batch);
    snprintf(insert, sizeof(insert),
             "insert into pgcrew.bench_bare (payload) select '{}' from generate_series(1, %d)",
             PUT_ROWS);
    return bench_prepare(db, "take", take, err) && bench_prepare(db, "mark", mark, err) &&
           bench_prepare(db, "done",
                         "delete from pgcrew.bench_marked where id = any ($1::bigint[])", err) &&
           bench_prepare(db, "insert", insert, err);
}

static bool
take(struct crowd *crowd, struct session *db, long long *ret, struct err *err)
{
    AUTO(result) PGresult *res = NULL;

    if (!bench_call(db, "take", NULL, &res, err))
        return false;
    *ret = PQntuples(res);
    atomic_fetch_add(&crowd->taken, *ret);
    return true;
}

static bool
take_all(struct crowd *crowd, struct session *db, struct err *err)
{
    long long rows = 1;

    while (rows > 0) {
        if (!take(crowd, db, &rows, err))
            return false;
    }
    return true;
}

static bool
take_what_comes(struct crowd *crowd, struct session *db, struct err *err)
{
    long long rows;

    while (atomic_load(&crowd->taken) < crowd->plan->rows) {
        if (!take(crowd, db, &rows, err))
            return false;
        if (rows == 0)
            pause_ms(1);
    }
    return true;
}

static bool
insert_all(struct crowd *crowd, struct session *db, struct err *err)
{
    for (int64_t rows = 0; rows < crowd->plan->rows; rows += PUT_ROWS) {
        if (!bench_call(db, "insert", NULL, NULL, err))
            return false;
    }
    return true;
}

/* Two commits a claim, as a queue has that keeps no other record of who has what. */
static bool
claim_all(struct crowd *crowd, struct session *db, struct err *err)
{
    for (;;) {
        AUTO(result) PGresult *res = NULL;
        long long rows;

        if (!bench_call(db, "mark", NULL, &res, err))
            return false;
        rows = atoll(PQgetvalue(res, 0, 0));
        if (rows == 0)
            return true;
        if (!bench_call(db, "done", PQgetvalue(res, 0, 1), NULL, err))
            return false;
        atomic_fetch_add(&crowd->taken, rows);
    }
}

static const struct {
    client_body *body, *extra;
} bodies[] = {
    [CROWD_TAKE] = {take_all, NULL},
    [CROWD_CLAIM] = {claim_all, NULL},
    [CROWD_LIFE] = {take_what_comes, insert_all},
};

/* --- processes ----------------------------------------------------------------------- */

struct client {
    pid_t pid;
    int pipe; /* ours: a byte comes when it is ready, its end is the sign to begin */
};

static void NORETURN
be_client(const struct bench *b, struct crowd *crowd, client_body *body, int pipe, pid_t parent)
{
    AUTO(session) struct session *db = NULL;
    struct err err = {0};
    char c;
    bool good;

    if (!proc_die_with_parent(SIGKILL, parent))
        _exit(1);
    good = bench_open(b->conf, &db, &err) && prepare(crowd->plan, db, &err);
    if (good && (write(pipe, "", 1) != 1 || read(pipe, &c, 1) != 0))
        _exit(1);
    good = good && body(crowd, db, &err);
    if (!good)
        bench_say_failed(b->to_keeper, &err);
    session_close(TAKE(db));
    _exit(good ? 0 : 1);
}

static bool
client_start(const struct bench *b, struct crowd *crowd, client_body *body,
             const struct client *before, int n_before, struct client *ret, struct err *err)
{
    pid_t parent = getpid();
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return err_errno(err, ERR_RETRY, "cannot make a pair of sockets");
    *ret = (struct client){.pid = fork(), .pipe = ends[0]};
    if (ret->pid == 0) {
        close(ends[0]);
        for (int i = 0; i < n_before; i++)
            close(before[i].pipe);
        be_client(b, crowd, body, ends[1], parent);
    }
    close(ends[1]);
    if (ret->pid > 0)
        return true;
    close(ends[0]);
    return err_errno(err, ERR_RETRY, "cannot fork");
}

/* False: one has ended before it was told to begin; it has said why. */
static bool
all_ready(const struct client *clients, int n)
{
    char c;

    for (int i = 0; i < n; i++) {
        if (read(clients[i].pipe, &c, 1) != 1)
            return false;
    }
    return true;
}

static bool
wait_all(const struct client *clients, int n)
{
    bool good = true;
    int status;

    for (int i = 0; i < n; i++) {
        while (waitpid(clients[i].pid, &status, 0) < 0 && errno == EINTR)
            continue;
        good = good && status == 0;
    }
    return good;
}

static bool
start_all(const struct bench *b, struct crowd *crowd, struct client *clients, int *ret_n,
          struct err *err)
{
    client_body *body = bodies[crowd->plan->what].body, *extra = bodies[crowd->plan->what].extra;
    int all = crowd->plan->n + (extra != NULL);

    for (*ret_n = 0; *ret_n < all; (*ret_n)++) {
        if (!client_start(b, crowd, *ret_n < crowd->plan->n ? body : extra, clients, *ret_n,
                          &clients[*ret_n], err))
            return false;
    }
    return true;
}

static bool
run(const struct bench *b, struct crowd *crowd, double *ret, struct err *err)
{
    AUTO(mem) struct client *clients = xcalloc((size_t)crowd->plan->n + 1, sizeof(*clients));
    int64_t start_ns;
    int n;
    bool good = start_all(b, crowd, clients, &n, err);
    bool ready = good && all_ready(clients, n);

    start_ns = clock_mono_ns();
    for (int i = 0; i < n; i++)
        close(clients[i].pipe);
    if (!wait_all(clients, n) || !ready)
        return good ? err_set(err, ERR_PERMANENT, "a client of a bare loop failed") : false;
    *ret = (double)atomic_load(&crowd->taken) * 1e9 / (double)(clock_mono_ns() - start_ns);
    return true;
}

bool
crowd_run(struct bench *b, const struct crowd_plan *plan, double *ret, struct err *err)
{
    struct crowd *crowd =
        mmap(NULL, sizeof(*crowd), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool good;

    if (crowd == MAP_FAILED)
        return err_errno(err, ERR_RETRY, "cannot map memory");
    crowd->plan = plan;
    bench_drop_session(b);
    good = run(b, crowd, ret, err);
    munmap(crowd, sizeof(*crowd));
    return good && bench_need_session(b, err);
}
