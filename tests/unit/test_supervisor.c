/*
 * The supervisor with children that do as they are told by files in a folder:
 * what it does when they crash, stall, end for a reason, or all at once.
 */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "daemon_trial.h"
#include "ipc/board.h"
#include "ipc/order.h"
#include "tap.h"

/* More than the limit that write_conf() sets. */
#define FAT_BYTES ((size_t)150 * 1024 * 1024)

/* --- the children --------------------------------------------------------------------- */

struct fake {
    const struct child *child;
    struct order_port *port;
    struct board_score score;
    bool is_worker;
    ev_timer beat;
};

static void
on_order(void *owner, const struct order *order)
{
    struct fake *f = owner;
    struct order answer = {.what = ORDER_REAPED, .process = order->process};

    f->score.heard++;
    board_publish(f->child->board, f->child->place, &f->score);
    if (order->what == ORDER_REAP)
        tell("heard", "reap", (int)order->n_ids, (int)order->ids[0]);
    else
        tell("heard", order_name(order->what), f->child->slot, (int)getpid());
    if (order->what == ORDER_REAP && !is_noted("deaf"))
        order_send(f->port, &answer);
    if (order->what == ORDER_STOP ||
        (order->what == ORDER_DRAIN && !(f->is_worker && is_noted("busy"))))
        _exit(CHILD_EXIT_PLANNED);
    if (order->what == ORDER_WAKE && is_noted("deadly"))
        _exit(3);
}

static void
on_gone(void *owner)
{
    (void)owner;
    _exit(CHILD_EXIT_PLANNED);
}

static void
grow(void)
{
    static char *volatile grown; /* or a compiler that looks closely leaves it out */

    grown = xmalloc(FAT_BYTES);
    memset(grown, 1, FAT_BYTES);
}

static void
on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct fake *f = timer->data;

    (void)events;
    if (f->is_worker && f->child->slot == 1 && is_noted("stall"))
        pause();
    if (f->is_worker && f->child->slot == 2 && is_noted("fat"))
        grow();
    if (!f->is_worker && is_noted("fat janitor") && !is_noted("grown")) {
        grow();
        note("grown");
    }
    if (f->is_worker && is_noted("all")) {
        /* Together, at the next full second. */
        int64_t now_ms = clock_mono_ms();

        usleep((useconds_t)(1000 - now_ms % 1000) * 1000);
        _exit(1);
    }
    if (!f->is_worker && is_noted("looks"))
        order_say(f->port, ORDER_QUIET);
    if (!f->is_worker && is_noted("news")) {
        order_say(f->port, ORDER_NEWS);
        forget("news");
    }
    if (f->is_worker && is_noted("rest") && !f->score.rests)
        tell("resting", "worker", f->child->slot, (int)getpid());
    f->score.rests = f->is_worker && is_noted("rest");
    f->score.beat += !f->score.rests;
    board_publish(f->child->board, f->child->place, &f->score);
    loop_timer_in(loop, timer, 200);
}

static int
fake_main(const struct child *child, bool is_worker)
{
    static struct fake f;

    tell("starts", is_worker ? "worker" : "janitor", child->slot, (int)getpid());
    if (is_worker && child->slot == 2 && is_noted("exit75"))
        return CHILD_EXIT_DATABASE;
    if (is_worker && child->slot == 2 && is_noted("exit78"))
        return CHILD_EXIT_CONFIG;
    if (is_worker && child->slot == 3 && is_noted("exit1"))
        return 1;
    if (access("/proc/self/exe", F_OK) != 0 || getppid() != child->supervisor)
        return 99;
    f = (struct fake){.child = child, .is_worker = is_worker};
    f.score.state = BOARD_BUSY;
    f.score.n_running = is_worker ? 2 : 0;
    f.score.succeeded = 10;
    f.score.running[0].job_id = 4711;
    f.score.running[1].job_id = 4712;
    f.port = order_port_new(loop_get(), child->order_fd, on_order, on_gone, &f);
    loop_timer_init(&f.beat, on_beat);
    f.beat.data = &f;
    loop_timer_in(loop_get(), &f.beat, 0);
    order_say(f.port, ORDER_READY);
    if (is_worker)
        order_say(f.port, ORDER_IDLE);
    ev_run(loop_get(), 0);
    return CHILD_EXIT_PLANNED;
}

static int
worker_main(const struct child *child)
{
    return fake_main(child, true);
}

static int
janitor_main(const struct child *child)
{
    return fake_main(child, false);
}

/* --- the daemon ----------------------------------------------------------------------- */

static void
write_conf(int workers, const char *more)
{
    FILE *f = fopen(in_dir("conf"), "we");

    fprintf(f,
            "name: test\ncontrol.socket: %s\nworker.count: %d\nworker.stall_timeout: 1s\n"
            "worker.memory_max: 100MiB\n%s",
            socket_path, workers, more);
    fclose(f);
}

static pid_t
start_daemon(void)
{
    return start_daemon_of((struct supervisor_plan){
        .worker_main = worker_main,
        .janitor_main = janitor_main,
    });
}

/* --- tests ---------------------------------------------------------------------------- */

static void
test_crash(void)
{
    pid_t old = pid_of("worker", 0);
    int64_t begin = clock_mono_ms();

    forget("heard");
    signal_child(old, SIGKILL);
    ok(WAIT_FOR(count_lines("heard", "reap 2 4711") == 1, 3000),
       "a worker is killed: the janitor hears of it and of the two jobs that ran");
    ok(clock_mono_ms() - begin < 100, "within 100 ms (%d)", (int)(clock_mono_ms() - begin));
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 3000), "another one is started");
    ok(clock_mono_ms() - begin < 600, "soon");
    is_int(stat_of("restarts", "signal"), 1, "it is counted as killed by a signal");
    is_int(stat_of(NULL, "reaps_waiting"), 0, "nothing waits for the janitor");
    ok(stat_of("totals", "succeeded") >= 50, "what the dead one had done still counts (%d)",
       (int)stat_of("totals", "succeeded"));
}

static void
test_janitor_dies(void)
{
    pid_t janitor = pid_of("janitor", 0);

    forget("heard");
    note("deaf");
    signal_child(pid_of("worker", 1), SIGKILL);
    ok(WAIT_FOR(count_lines("heard", "reap 2") == 1, 3000), "a janitor that does not answer");
    is_int(stat_of(NULL, "reaps_waiting"), 1, "is waited for");
    forget("deaf");
    signal_child(janitor, SIGKILL);
    ok(WAIT_FOR(count_lines("heard", "reap 2") == 2, 3000), "its successor is asked again");
    ok(WAIT_FOR(stat_of(NULL, "reaps_waiting") == 0, 3000), "and does it");
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 3000), "all is well again");
}

static void
test_stall(void)
{
    int64_t begin = clock_mono_ms();

    note("stall");
    ok(WAIT_FOR(stat_of("restarts", "stalled") == 1, 5000),
       "a worker whose loop stands still is killed");
    forget("stall");
    ok(clock_mono_ms() - begin >= 900, "not before its time");
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "and started again");
}

static void
test_stopped_by_hand(void)
{
    pid_t worker = pid_of("worker", 3);

    signal_child(worker, SIGSTOP);
    ok(WAIT_FOR(stat_of("restarts", "stalled") == 2, 5000), "even one that is stopped is killed");
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "and started again");
}

static void
test_memory(void)
{
    pid_t janitor = pid_of("janitor", 0);

    forget("heard");
    note("fat");
    ok(WAIT_FOR(stat_of("restarts", "memory") >= 1, 5000),
       "a worker with too much memory is killed");
    forget("fat");
    ok(WAIT_FOR(count_lines("heard", "reap 2 4711") >= 1, 3000), "the jobs it ran are given back");
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "and it is started again");
    is_int(stat_of("restarts", "stalled"), 2, "it is not taken for one that stalled");
    ok(count_lines("log", "supervisor: error: worker 2 (pid ") >= 1, "the log says whom it was");
    note("fat janitor");
    ok(WAIT_FOR(is_noted("grown"), 5000), "the janitor grows");
    usleep(1500000);
    is_int(pid_of("janitor", 0), janitor, "the limit is for workers");
    forget("fat janitor");
}

static void
stop_all_workers(pid_t ret[4])
{
    for (uint32_t i = 0; i < 4; i++) {
        ret[i] = pid_of("worker", i);
        signal_child(ret[i], SIGSTOP);
    }
}

/* A worker at rest gets up only when it is told something; then it has to. */
static void
test_rest(void)
{
    int64_t stalled = stat_of("restarts", "stalled");
    pid_t stopped[4];
    int living = 0;

    note("looks");
    note("rest");
    ok(WAIT_FOR(count_lines("resting", "worker") == 4, 5000), "four workers have nothing to do");
    usleep(2500000);
    is_int(stat_of("restarts", "stalled"), stalled, "they need not beat");
    forget("heard");
    usleep(2500000);
    is_int(count_lines("heard", "wake"), 0, "and while the janitor looks nobody is woken");
    stop_all_workers(stopped);
    usleep(2500000);
    is_int(stat_of("restarts", "stalled"), stalled, "nor asked for a sign of life");
    note("news");
    ok(WAIT_FOR(stat_of("restarts", "stalled") > stalled, 5000),
       "one that was told something and does not hear it is killed");
    for (int i = 0; i < 4; i++)
        living += !is_gone(stopped[i]);
    ok(living >= 2, "those who were told nothing are left alone (%d)", living);
    forget("rest");
    for (int i = 0; i < 4; i++) {
        if (!is_gone(stopped[i]))
            signal_child(stopped[i], SIGCONT);
    }
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "all is well again");
    forget("heard");
    forget("looks");
    ok(WAIT_FOR(count_lines("heard", "wake") > 0, 10000),
       "when the janitor looks no more a worker is woken to look");
}

static void
test_reasons(pid_t daemon)
{
    int starts;

    note("exit78");
    signal_child(pid_of("worker", 1), SIGTERM); /* the default of a fresh child: it dies of it */
    ok(WAIT_FOR(stat_of("restarts", "config") == 1, 5000),
       "a worker ends because of its configuration");
    starts = count_lines("starts", "worker 2");
    usleep(500000);
    is_int(count_lines("starts", "worker 2"), starts, "it is not tried again");
    is_int(stat_of("workers", "held"), 1, "and said to be held");
    forget("exit78");
    signal_child(daemon, SIGHUP);
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 3000), "a reload tries again");

    note("exit75");
    signal_child(pid_of("worker", 1), SIGTERM);
    ok(WAIT_FOR(stat_of("restarts", "database") >= 2, 5000), "one without a database tries again");
    forget("exit75");
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "until it has one");

    note("exit1");
    forget("starts");
    signal_child(pid_of("worker", 2), SIGTERM);
    usleep(1500000);
    starts = count_lines("starts", "worker 3");
    ok(starts >= 3 && starts <= 6, "one that crashes again and again is started less and less (%d)",
       starts);
    forget("exit1");
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "until it does not");
}

static bool
is_replaced(int64_t generation)
{
    AUTO(ctl_answer) struct ctl_answer answer = {0};

    if (!ask("workers", &answer) || answer.result.via.array.size == 0)
        return false;
    for (uint32_t i = 0; i < answer.result.via.array.size; i++) {
        const msgpack_object *one = &answer.result.via.array.ptr[i];
        char state[16];

        if (rpc_int(rpc_get(one, "generation"), 0) != generation ||
            strcmp(rpc_text(rpc_get(one, "slot_state"), state, sizeof(state)), "ready") != 0)
            return false;
    }
    return true;
}

static void
test_reload(pid_t daemon)
{
    int64_t generation = stat_of(NULL, "generation");
    pid_t worker = pid_of("worker", 0), janitor = pid_of("janitor", 0);

    write_conf(4, "queue.poll_interval: nonsense\n");
    signal_child(daemon, SIGHUP);
    usleep(200000);
    is_int(stat_of(NULL, "generation"), generation, "a wrong configuration changes nothing");
    is_int(pid_of("worker", 0), worker, "nobody is replaced");
    ok(count_lines("log", "supervisor: error: reload: ") == 1, "it says why");

    note("busy");
    write_conf(4, "queue.poll_interval: 1s\n");
    signal_child(daemon, SIGHUP);
    ok(WAIT_FOR(stat_of("workers", "leaving") == 4, 5000),
       "the old workers leave when they have done");
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "while the new ones work already");
    is_int(stat_of(NULL, "generation"), generation + 1, "with a new generation");
    ok(!is_gone(worker), "an old one with jobs lives on");
    forget("busy");
    ok(pid_of("janitor", 0) != janitor, "there is a new janitor");
    signal_child(worker, SIGKILL);
    signal_child(daemon, SIGUSR1);
    ok(WAIT_FOR(stat_of("workers", "leaving") == 3, 5000),
       "one that dies while leaving is not replaced");
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "all slots are taken anyway");
    for (uint32_t i = 0; i < 10 && stat_of("workers", "leaving") > 0; i++) {
        AUTO(ctl_answer) struct ctl_answer answer = {0};

        if (!ask("workers", &answer))
            break;
        for (uint32_t j = 0; j < answer.result.via.array.size; j++) {
            const msgpack_object *one = &answer.result.via.array.ptr[j];

            if (rpc_int(rpc_get(one, "leaving"), 0) != 0)
                signal_child((pid_t)rpc_int(rpc_get(one, "pid"), 0), SIGKILL);
        }
        usleep(100000);
    }
    ok(WAIT_FOR(is_replaced(generation + 1), 3000), "in the end all are new");
    ok(count_lines("log", "supervisor: state: ") >= 5, "USR1 logs the state");
}

static void
test_scale(pid_t daemon)
{
    signal_child(daemon, SIGTTIN);
    ok(WAIT_FOR(stat_of("workers", "ready") == 5, 3000), "TTIN: one worker more");
    signal_child(daemon, SIGTTOU);
    ok(WAIT_FOR(stat_of("workers", "ready") == 4, 3000), "TTOU: one less");
    ok(WAIT_FOR(stat_of("workers", "leaving") == 0, 3000), "which ends in peace");
}

/* One signal does not stand for one child. */
static void
test_many(pid_t daemon)
{
    AUTO(buf) struct buf params = {0};
    AUTO(ctl_answer) struct ctl_answer answer = {0};
    int64_t crashes = stat_of("restarts", "crash");
    struct err err = {0};
    msgpack_packer pk;

    rpc_packer(&pk, &params);
    msgpack_pack_array(&pk, 1);
    msgpack_pack_int(&pk, 500);
    ok(ctl_call(socket_path, "scale", &params, &answer, &err), "scale to 500 workers: %s",
       err.text);
    ok(WAIT_FOR(stat_of("workers", "ready") == 500, 20000), "they are all there");
    forget("heard");
    note("all");
    ok(WAIT_FOR(stat_of("restarts", "crash") >= crashes + 500, 10000),
       "500 children that end at once are all reaped");
    forget("all");
    ok(WAIT_FOR(stat_of("workers", "ready") == 500, 20000), "and all are started again");
    ok(WAIT_FOR(count_lines("heard", "reap") >= 500, 5000), "and given back");
    ok(WAIT_FOR(stat_of(NULL, "reaps_waiting") == 0, 5000), "every one");
    (void)daemon;
}

static void
test_ends(pid_t daemon)
{
    int64_t took;

    signal_child(daemon, SIGTERM);
    is_int(end_of(daemon, 20000, &took), 0, "TERM ends it");
    ok(took < 5000, "as soon as the workers have done (%d ms)", (int)took);
    ok(access(socket_path, F_OK) < 0, "no socket is left");

    note("busy");
    write_conf(2, "worker.drain_timeout: 500ms\n");
    daemon = start_daemon();
    ok(WAIT_FOR(stat_of("workers", "ready") == 2, 5000), "once more");
    signal_child(daemon, SIGTERM);
    is_int(end_of(daemon, 20000, &took), 0, "with workers that have long jobs");
    ok(took >= 500 && took < 2000, "it drains as long as it may (%d ms)", (int)took);

    daemon = start_daemon();
    ok(WAIT_FOR(stat_of("workers", "ready") == 2, 5000), "once more");
    signal_child(daemon, SIGINT);
    is_int(end_of(daemon, 20000, &took), 0, "INT does not wait for them");
    ok(took < 450, "at all (%d ms)", (int)took);

    write_conf(2, "worker.drain_timeout: 1min\n");
    daemon = start_daemon();
    ok(WAIT_FOR(stat_of("workers", "ready") == 2, 5000), "once more");
    signal_child(daemon, SIGTERM);
    usleep(200000);
    signal_child(daemon, SIGTERM);
    is_int(end_of(daemon, 20000, &took), 0, "nor does a second TERM");
    ok(took < 1000, "(%d ms)", (int)took);
    forget("busy");
}

static void
test_stubborn(void)
{
    pid_t daemon, worker;
    int64_t took;

    write_conf(1, "worker.kill_grace: 100ms\n");
    daemon = start_daemon();
    ok(WAIT_FOR(stat_of("workers", "ready") == 1, 5000), "once more");
    worker = pid_of("worker", 0);
    signal_child(worker, SIGSTOP);
    signal_child(daemon, SIGINT);
    is_int(end_of(daemon, 20000, &took), 0, "a worker that does not end is killed");
    ok(took < 4000, "after a while (%d ms)", (int)took);
    ok(is_gone(worker), "nothing is left of it");
}

static void
test_parent_dies(void)
{
    pid_t daemon, worker, janitor;
    int64_t took;

    write_conf(1, "");
    daemon = start_daemon();
    ok(WAIT_FOR(stat_of("workers", "ready") == 1, 5000), "once more");
    worker = pid_of("worker", 0);
    janitor = pid_of("janitor", 0);
    signal_child(daemon, SIGKILL);
    end_of(daemon, 1000, &took);
    ok(WAIT_FOR(is_gone(worker) && is_gone(janitor), 2000),
       "the children of a killed supervisor end");
    daemon = start_daemon();
    ok(WAIT_FOR(stat_of("workers", "ready") == 1, 5000), "and the next daemon takes its place");
    signal_child(daemon, SIGTERM);
    is_int(end_of(daemon, 5000, &took), 0, "and ends");
}

int
main(void)
{
    pid_t daemon;

    conf_dir_make();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    snprintf(socket_path, sizeof(socket_path), "%s/socket", conf_dir);
    write_conf(4, "");
    daemon = start_daemon();
    if (!ok(WAIT_FOR(stat_of("workers", "ready") == 4, 5000), "four workers are started")) {
        show_log();
        signal_child(daemon, SIGKILL);
        return 1;
    }
    test_crash();
    test_janitor_dies();
    test_stall();
    test_stopped_by_hand();
    test_memory();
    test_rest();
    test_reasons(daemon);
    test_reload(daemon);
    test_scale(daemon);
    test_many(daemon);
    test_ends(daemon);
    test_stubborn();
    test_parent_dies();
    if (tap_failed > 0)
        show_log();
    return done_testing();
}
