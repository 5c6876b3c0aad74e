/*
 * The loop of a process that serves HTTP, and its end.
 */
#include "front/front.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/listen.h"
#include "ipc/order.h"
#include "ipc/tally.h"

struct front {
    const struct child *child;
    struct front_options options;
    struct ev_loop *loop;
    struct web *web;
    struct web_route *routes;
    size_t n_routes;
    struct order_port *port;
    struct board_score score;
    struct tally_writer *tally;
    uint64_t connections; /* that the tally has */
    bool is_draining;
    ev_timer beat, late;
    ev_signal term, interrupt, quit;
};

/* The one of this process: web hands the program's owner to each handler, ours have no other. */
static struct front *front_of_process;

/* --- what is counted ------------------------------------------------------------------- */

/* A row for each status of a route, and one without a status for how long its answers took. */
static void
on_answered(const char *route, int status, int64_t us, UNUSED void *owner)
{
    struct tally_writer *t = front_of_process->tally;
    const char *name = route != NULL ? route : "none";
    char digits[16];

    snprintf(digits, sizeof(digits), "%d", status);
    tally_add(t, tally_row(t, name, digits, true), TALLY_SUCCEEDED, 1);
    if (us >= 0)
        tally_time(t, tally_row(t, name, "", true), TALLY_RUN, us);
    else if (route == NULL && status == 429)
        tally_head(t, TALLY_REFUSED, 1);
}

static void
count_connections(struct front *f, const struct web_counts *counts)
{
    tally_head(f->tally, TALLY_CONNECTIONS, counts->connections - f->connections);
    f->connections = counts->connections;
    tally_set(f->tally, TALLY_OPEN, (uint64_t)counts->open);
    tally_set(f->tally, TALLY_STREAMS, (uint64_t)counts->streams);
}

/* --- the board ------------------------------------------------------------------------- */

static bool
is_ready_state(enum board_state state)
{
    return state == BOARD_IDLE || state == BOARD_BUSY;
}

static void
look(struct front *f)
{
    struct board_score *s = &f->score;
    enum board_state before = s->state;
    struct web_counts counts;

    f->options.look(f->options.owner, s);
    web_count(f->web, &counts);
    count_connections(f, &counts);
    s->requests = counts.requests;
    s->connections = counts.open;
    s->streams = counts.streams;
    if (is_ready_state(s->state))
        s->state = s->connections > s->streams ? BOARD_BUSY : BOARD_IDLE;
    if (f->is_draining)
        s->state = BOARD_DRAINING;
    if (s->state != before || s->state_mono_ms == 0)
        s->state_mono_ms = clock_mono_ms();
}

void
front_show(struct front *f)
{
    look(f);
    board_publish(f->child->board, f->child->place, &f->score);
}

static void
on_beat(struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct front *f = timer->data;

    f->score.beat++;
    f->score.beat_mono_ms = clock_mono_ms();
    front_show(f);
    loop_timer_in(loop, timer, board_beat_ms(f->child->conf->stall_ms));
}

/* --- how it is --------------------------------------------------------------------------- */

static void
answer_health(struct web_request *r, UNUSED void *owner)
{
    web_answer_static(r, 200, "text/plain", "ok\n", 3);
}

/* Who asks may be anybody: the reason is for the board and the log, a word is for him. */
static const char *
word_for(enum board_state state)
{
    switch (state) {
    case BOARD_IDLE:
    case BOARD_BUSY:
        return "ready\n";
    case BOARD_STARTING:
    case BOARD_CONNECTING:
        return "no session with the database\n";
    case BOARD_DRAINING:
        return "ending\n";
    case BOARD_HELD:
        return "the database cannot be used as it is configured: pgcrew stats says why\n";
    }
    return "unknown\n";
}

static void
answer_ready(struct web_request *r, UNUSED void *owner)
{
    struct front *f = front_of_process;
    const char *word;

    look(f);
    word = word_for(f->score.state);
    web_answer_static(r, is_ready_state(f->score.state) ? 200 : 503, "text/plain", word,
                      strlen(word));
}

/* --- the end ----------------------------------------------------------------------------- */

static void
stop(struct front *f)
{
    ev_break(f->loop, EVBREAK_ALL);
}

static void
on_drained(UNUSED void *owner)
{
    stop(front_of_process);
}

static void
on_late(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct front *f = timer->data;

    log_warn("not all requests could be answered in time: breaking them off");
    stop(f);
}

static void
drain(struct front *f)
{
    if (f->is_draining)
        return;
    f->is_draining = true;
    front_show(f);
    loop_timer_in(f->loop, &f->late, f->options.drain_ms);
    if (f->options.drains != NULL)
        f->options.drains(f->options.owner);
    web_drain(f->web, on_drained);
}

static void
on_order(void *owner, const struct order *order)
{
    struct front *f = owner;

    f->score.heard++;
    if (order->what == ORDER_DRAIN)
        drain(f);
    else if (order->what == ORDER_STOP)
        stop(f);
}

static void
on_supervisor_gone(UNUSED void *owner)
{
    _exit(CHILD_EXIT_PLANNED);
}

static void
on_term(UNUSED struct ev_loop *loop, ev_signal *signal, UNUSED int events)
{
    drain(signal->data);
}

static void
on_interrupt(UNUSED struct ev_loop *loop, ev_signal *signal, UNUSED int events)
{
    stop(signal->data);
}

/* --- the beginning ------------------------------------------------------------------------ */

static bool
serve(struct front *f, struct err *err)
{
    const struct conf_web *limits = f->options.limits;
    const struct listen_set *sockets = f->child->sockets;
    AUTO(mem) int *fds = xmalloc((sockets->n + 1) * sizeof(*fds));
    struct web_options options = {
        .routes = f->routes,
        .n_routes = f->n_routes,
        .before = f->options.before,
        .error = f->options.error,
        .answered = on_answered,
        .owner = f->options.owner,
        .fds = fds,
        .n_fds = sockets->n,
        .connections_max = limits->connections_max,
        .per_address_max = limits->per_address_max,
        .header_max = limits->header_max,
        .body_max = limits->body_max,
        .request_ms = limits->request_ms,
        .idle_ms = limits->idle_ms,
        .stream_buffer_max = f->options.stream_buffer_max,
    };

    for (size_t i = 0; i < sockets->n; i++)
        fds[i] = sockets->sockets[i].fd;
    return web_new(f->loop, &options, &f->web, err);
}

static void
put_routes(struct front *f)
{
    static const struct web_route ours[] = {
        {WEB_GET, "/healthz", answer_health, 0},
        {WEB_GET, "/readyz", answer_ready, 0},
    };

    f->n_routes = LENGTH(ours) + f->options.n_routes;
    f->routes = xmalloc(f->n_routes * sizeof(*f->routes));
    memcpy(f->routes, ours, sizeof(ours));
    if (f->options.n_routes > 0)
        memcpy(f->routes + LENGTH(ours), f->options.routes,
               f->options.n_routes * sizeof(*f->routes));
}

static void
hear(struct front *f)
{
    loop_timer_init(&f->beat, on_beat);
    loop_timer_init(&f->late, on_late);
    f->beat.data = f->late.data = f;
    loop_signal_init(&f->term, on_term, SIGTERM);
    LOOP_START(f->loop, signal, &f->term, f);
    loop_signal_init(&f->interrupt, on_interrupt, SIGINT);
    LOOP_START(f->loop, signal, &f->interrupt, f);
    loop_signal_init(&f->quit, on_interrupt, SIGQUIT);
    LOOP_START(f->loop, signal, &f->quit, f);
    f->port = order_port_new(f->loop, f->child->order_fd, on_order, on_supervisor_gone, f);
}

bool
front_new(const struct child *child, const struct front_options *options, struct front **ret,
          struct err *err)
{
    struct front *f = xcalloc(1, sizeof(*f));

    *f = (struct front){.child = child,
                        .options = *options,
                        .loop = loop_get(),
                        .tally = tally_writer_new(child->tally)};
    front_of_process = f;
    signal(SIGPIPE, SIG_IGN); /* clients leave when they want to */
    put_routes(f);
    hear(f);
    if (!serve(f, err))
        return false; /* the process ends */
    *ret = f;
    return true;
}

int
front_refuse(const struct child *child, const struct err *why)
{
    struct board_score score = {.state = BOARD_HELD, .beat_mono_ms = clock_mono_ms()};

    log_error("%s", why->text);
    snprintf(score.text, sizeof(score.text), "%.*s", (int)sizeof(score.text) - 1, why->text);
    board_publish(child->board, child->place, &score);
    return why->class == ERR_CONFIG ? CHILD_EXIT_CONFIG : EXIT_FAILURE;
}

int
front_run(struct front *f)
{
    loop_timer_in(f->loop, &f->beat, 0);
    order_say(f->port, ORDER_READY);
    ev_run(f->loop, 0);
    web_free(f->web);
    /* The port stays open: who closes it is taken for one that is out of its mind. */
    return CHILD_EXIT_PLANNED;
}

struct web *
front_web(const struct front *f)
{
    return f->web;
}
