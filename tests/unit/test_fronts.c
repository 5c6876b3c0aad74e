/*
 * Those who serve HTTP, below the supervisor: their listening sockets outlive them, so that
 * nobody is refused while one follows the other.
 */
#include "supervisor/supervisor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/loop.h"
#include "daemon_trial.h"
#include "ipc/board.h"
#include "ipc/listen.h"
#include "ipc/order.h"

#define CLIENT_MS 5000

/* --- the children ---------------------------------------------------------------------- */

struct fake {
    const struct child *child;
    struct order_port *port;
    struct board_score score;
    const char *role;
    ev_timer beat;
    ev_io accepts[4];
};

static void
on_order(void *owner, const struct order *order)
{
    struct fake *f = owner;
    struct order answer = {.what = ORDER_REAPED, .process = order->process};

    tell("heard", f->role, (int)order->what, (int)getpid());
    if (order->what == ORDER_REAP)
        order_send(f->port, &answer);
    if (order->what == ORDER_DRAIN || order->what == ORDER_STOP)
        _exit(CHILD_EXIT_PLANNED);
}

static void
on_gone(void *owner)
{
    (void)owner;
    _exit(CHILD_EXIT_PLANNED);
}

static void
on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct fake *f = timer->data;

    (void)events;
    f->score.beat++;
    board_publish(f->child->board, f->child->place, &f->score);
    loop_timer_in(loop, timer, 200);
}

/* Who is asked says who it is. */
static void
on_client(struct ev_loop *loop, ev_io *watcher, int events)
{
    int client = accept4(watcher->fd, NULL, NULL, SOCK_CLOEXEC);
    char line[32];
    int len = snprintf(line, sizeof(line), "%d\n", (int)getpid());

    (void)loop;
    (void)events;
    if (client < 0)
        return;
    if (write(client, line, (size_t)len) != len)
        abort();
    close(client);
}

static int
fake_main(const struct child *child, const char *role)
{
    static struct fake f;

    f = (struct fake){.child = child, .role = role, .score = {.state = BOARD_IDLE}};
    tell("starts", role, (int)child->sockets->n, (int)getpid());
    if (is_noted(role)) {
        snprintf(f.score.text, sizeof(f.score.text), "nothing is right");
        board_publish(child->board, child->place, &f.score);
        return CHILD_EXIT_CONFIG;
    }
    f.port = order_port_new(loop_get(), child->order_fd, on_order, on_gone, &f);
    for (size_t i = 0; i < child->sockets->n && i < LENGTH(f.accepts); i++) {
        loop_io_init(&f.accepts[i], on_client, child->sockets->sockets[i].fd, EV_READ);
        LOOP_START(loop_get(), io, &f.accepts[i], &f);
    }
    loop_timer_init(&f.beat, on_beat);
    f.beat.data = &f;
    loop_timer_in(loop_get(), &f.beat, 0);
    order_say(f.port, ORDER_READY);
    ev_run(loop_get(), 0);
    return CHILD_EXIT_PLANNED;
}

static int
worker_main(const struct child *child)
{
    return fake_main(child, "worker");
}

static int
janitor_main(const struct child *child)
{
    return fake_main(child, "janitor");
}

static int
gateway_main(const struct child *child)
{
    return fake_main(child, "gateway");
}

static int
dashboard_main(const struct child *child)
{
    return fake_main(child, "dashboard");
}

/* --- the daemon and its clients ----------------------------------------------------------- */

static char first_path[64], second_path[64], dashboard_path[64];

static void
write_conf(const char *more)
{
    FILE *f = fopen(in_dir("conf"), "we");

    fprintf(f,
            "name: test\ncontrol.socket: %s\nworker.count: 1\nworker.stall_timeout: 1s\n"
            "gateway.jwt_secret: a-secret-that-is-long-enough-for-a-test\n"
            "gateway.database_url: postgresql://gateway@nowhere/db\n%s",
            socket_path, more);
    fclose(f);
}

static pid_t
start_daemon(void)
{
    return start_daemon_of((struct supervisor_plan){
        .worker_main = worker_main,
        .janitor_main = janitor_main,
        .gateway_main = gateway_main,
        .dashboard_main = dashboard_main,
    });
}

static int
connect_path(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Who answers there: a pid, 0 when nobody does in time, -1 when the connection is refused. */
static pid_t
read_pid(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char line[32] = "";
    pid_t pid = 0;

    if (fd < 0)
        return -1;
    if (poll(&wait, 1, CLIENT_MS) == 1 && read(fd, line, sizeof(line) - 1) > 0)
        pid = atoi(line);
    close(fd);
    return pid;
}

static pid_t
who_answers(const char *path)
{
    return read_pid(connect_path(path));
}

/* The same while something goes on: how many of so many got no answer. */
static int
unanswered(const char *path, int clients)
{
    int n = 0;

    for (int i = 0; i < clients; i++) {
        n += who_answers(path) <= 0;
        usleep(1000);
    }
    return n;
}

static const char *
text_of(const char *front, const char *key, char ret[160])
{
    AUTO(ctl_answer) struct ctl_answer answer = {0};

    ret[0] = '\0';
    if (ask("stats", &answer) && rpc_get(&answer.result, front) != NULL)
        rpc_text(rpc_get(rpc_get(&answer.result, front), key), ret, 160);
    return ret;
}

static bool
is_state(const char *front, const char *state)
{
    char text[160];

    return strcmp(text_of(front, "state", text), state) == 0;
}

/* --- tests ---------------------------------------------------------------------------------- */

static void
test_starts(void)
{
    pid_t gateway;

    ok(WAIT_FOR(is_state("gateway", "idle") && is_state("dashboard", "idle"), 5000),
       "both are started");
    gateway = who_answers(first_path);
    is_int(gateway, pid_of("gateway", 0), "the gateway answers on its socket");
    is_int(who_answers(dashboard_path), pid_of("dashboard", 0), "the dashboard on its own");
    ok(WAIT_FOR(count_lines("starts", "worker 0") == 1, 3000), "a worker is not handed any");
    ok(WAIT_FOR(count_lines("starts", "janitor 0") == 1, 3000), "nor is the janitor");
}

static void
test_crash(void)
{
    pid_t old = pid_of("gateway", 0);

    signal_child(old, SIGKILL);
    is_int(unanswered(first_path, 100), 0,
           "while it is killed and started again nobody is refused");
    ok(pid_of("gateway", 0) != old, "there is another one");
    is_int(stat_of("restarts", "signal"), 1, "it is counted");
    is_int(stat_of(NULL, "reaps_waiting"), 0, "and has no jobs to give back");
}

static void
test_stall(void)
{
    pid_t old = pid_of("dashboard", 0);

    signal_child(old, SIGSTOP);
    ok(WAIT_FOR(stat_of("restarts", "stalled") == 1, 5000), "one that is stopped is killed");
    ok(WAIT_FOR(is_state("dashboard", "idle") && pid_of("dashboard", 0) != old, 5000),
       "and started again");
}

static void
test_reload(pid_t daemon, const char *conf)
{
    int64_t generation = stat_of(NULL, "generation");
    pid_t old = pid_of("gateway", 0);
    AUTO(mem) char *more = xasprintf("%slog.level: warn\n", conf);

    write_conf(more);
    signal_child(daemon, SIGHUP);
    is_int(unanswered(first_path, 100), 0, "while it is replaced nobody is refused");
    is_int(stat_of(NULL, "generation"), generation + 1, "there is a new configuration");
    ok(WAIT_FOR(pid_of("gateway", 0) != old && is_gone(old), 3000), "the old one has left");
    is_int(who_answers(first_path), pid_of("gateway", 0), "the new one answers");
}

static int
listen_by_hand(in_port_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = sizeof(at);

    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        abort();
    *ret_port = ntohs(at.sin_port);
    return fd;
}

static void
test_taken(pid_t daemon)
{
    int64_t generation = stat_of(NULL, "generation");
    pid_t old = pid_of("gateway", 0);
    in_port_t port;
    int fd = listen_by_hand(&port);
    AUTO(mem)
    char *more = xasprintf("gateway.listen: [%s, '127.0.0.1:%d']\n", second_path, port);

    write_conf(more);
    signal_child(daemon, SIGHUP);
    ok(WAIT_FOR(count_lines("log", "supervisor: error: reload: gateway.listen: '127.0.0.1:") == 1,
                3000),
       "a reload to an address that is taken is refused");
    is_int(stat_of(NULL, "generation"), generation, "everything stays as it is");
    is_int(who_answers(first_path), old, "the gateway, too");
    ok(access(second_path, F_OK) < 0, "and nothing else is left open");
    close(fd);
    signal_child(daemon, SIGHUP);
    ok(WAIT_FOR(who_answers(second_path) > 0, 3000), "once it is free it answers there");
    ok(WAIT_FOR(pid_of("dashboard", 0) < 0, 3000), "the dashboard, of which nothing is said, ends");
    ok(access(first_path, F_OK) < 0 && access(dashboard_path, F_OK) < 0,
       "what is not wanted any more is closed");
    ok(is_state("dashboard", ""), "and it is not told of");
}

static void
test_held(pid_t daemon, const char *conf)
{
    char text[160];

    write_conf(conf);
    note("gateway");
    signal_child(daemon, SIGHUP);
    ok(WAIT_FOR(is_state("gateway", "held"), 3000), "one that cannot work is held");
    has_str(text_of("gateway", "text", text), "nothing is right", "and it is known why");
    is_int(who_answers(first_path), -1, "who connects is refused, not left waiting");
    ok(WAIT_FOR(is_state("dashboard", "idle"), 3000), "the dashboard is started all the same");
    ok(WAIT_FOR(stat_of("workers", "ready") == 1, 5000), "jobs are run all the same");
    forget("gateway");
    signal_child(daemon, SIGHUP);
    ok(WAIT_FOR(is_state("gateway", "idle"), 3000), "a reload tries again");
    is_int(who_answers(first_path), pid_of("gateway", 0), "and it answers");
}

static void
test_ends(pid_t daemon)
{
    int64_t took;

    forget("heard");
    signal_child(daemon, SIGTERM);
    is_int(end_of(daemon, 10000, &took), 0, "the daemon ends");
    ok(count_lines("heard", "gateway") == 1 && count_lines("heard", "dashboard") == 1,
       "both are told so once");
    ok(access(first_path, F_OK) < 0, "no socket is left");
}

/* It is there when the address is: jobs do not wait for it. */
static void
test_taken_at_start(void)
{
    in_port_t port;
    int fd = listen_by_hand(&port);
    AUTO(mem) char *more = xasprintf("gateway.listen: '127.0.0.1:%d'\n", port);
    char text[160];
    pid_t daemon;
    int64_t took;

    write_conf(more);
    daemon = start_daemon();
    ok(WAIT_FOR(stat_of("workers", "ready") == 1, 5000), "its address is taken: the jobs are run");
    ok(WAIT_FOR(is_state("gateway", "none"), 3000), "there is no gateway");
    has_str(text_of("gateway", "text", text), "cannot take this address", "and it is known why");
    close(fd);
    ok(WAIT_FOR(is_state("gateway", "idle"), 20000), "once the address is free it is started");
    signal_child(daemon, SIGTERM);
    is_int(end_of(daemon, 10000, &took), 0, "the daemon ends");
}

int
main(void)
{
    AUTO(mem) char *conf = NULL;
    pid_t daemon;

    conf_dir_make();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    snprintf(socket_path, sizeof(socket_path), "%s/socket", conf_dir);
    snprintf(first_path, sizeof(first_path), "%s/first", conf_dir);
    snprintf(second_path, sizeof(second_path), "%s/second", conf_dir);
    snprintf(dashboard_path, sizeof(dashboard_path), "%s/dash", conf_dir);
    conf = xasprintf("gateway.listen: %s\ndashboard.listen: %s\n", first_path, dashboard_path);
    write_conf(conf);
    daemon = start_daemon();
    test_starts();
    test_crash();
    test_stall();
    test_reload(daemon, conf);
    test_taken(daemon);
    test_held(daemon, conf);
    test_ends(daemon);
    test_taken_at_start();
    if (tap_failed > 0)
        show_log();
    return done_testing();
}
