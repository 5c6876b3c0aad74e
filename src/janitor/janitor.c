/*
 * The janitor's loop: a session, four duties with a timer each, and orders.
 */
#include "janitor/janitor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "janitor/internal.h"

#define BEAT_MS 1000
#define LOOK_AGAIN_MS 5000

/* BEAT: the board's counter that shows that the loop turns. */
static void
on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct janitor *j = timer->data;
    enum board_state state = j->held_back[0] != '\0' ? BOARD_HELD
                             : j->open               ? BOARD_IDLE
                                                     : BOARD_CONNECTING;

    (void)events;
    j->score.beat++;
    j->score.beat_mono_ms = clock_mono_ms();
    if (state != j->score.state || j->score.state_mono_ms == 0)
        j->score.state_mono_ms = clock_mono_ms();
    j->score.state = state;
    j->score.round_trips = db_round_trips(j->db);
    board_publish(j->child->board, j->child->place, &j->score);
    loop_timer_in(loop, timer, BEAT_MS);
}

static struct duty *
duty_of(struct janitor *j, ev_timer *timer)
{
    struct duty *all[] = {&j->heartbeat, &j->sweep, &j->promote, &j->survey};

    for (size_t i = 0; i < LENGTH(all); i++) {
        if (&all[i]->timer == timer)
            return all[i];
    }
    abort();
}

static void
on_duty(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct janitor *j = timer->data;
    struct duty *d = duty_of(j, timer);

    (void)loop;
    (void)events;
    if (j->open && !d->asked)
        d->ask(j);
}

void
duty_in(struct janitor *j, struct duty *d, int64_t ms)
{
    if (!j->open)
        return;
    if (d->asked)
        d->again |= ms == 0;
    else
        loop_timer_in(j->loop, &d->timer, ms);
}

void
duty_answered(struct janitor *j, struct duty *d, int64_t ms, const struct err *err,
              const char *what)
{
    d->asked = false;
    if (err != NULL && err->class != ERR_UNCERTAIN) {
        j->score.db_errors++;
        log_warn("cannot %s: %s, trying again in %lld ms", what, err->text, (long long)ms);
    }
    if (err != NULL && err->class == ERR_CONFIG)
        db_restart(j->db, ERR_CONFIG, err->text);
    duty_in(j, d, d->again ? 0 : ms);
    d->again = false;
}

static void
open_for_work(struct janitor *j)
{
    j->open = true;
    j->held_back[0] = j->score.text[0] = '\0';
    /* Reaping first: those jobs wait already. */
    reaping_go_on(j);
    duty_in(j, &j->heartbeat, 0);
    duty_in(j, &j->promote, 0);
    duty_in(j, &j->sweep, j->conf->lease_ms / 3);
    duty_in(j, &j->survey, j->conf->poll_ms);
    order_say(j->port, ORDER_NEWS);
}

static void
on_up(void *owner, const struct db_session *session)
{
    struct janitor *j = owner;
    struct err err;

    j->score.connects++;
    j->score.poll_only = j->poll_only = session->poll_only;
    j->score.backend_pid = session->backend_pid;
    if (queue_schema_fits(session, &err)) {
        log_info("connected to %s (server %d)%s", db_shown(j->db), session->server_version / 10000,
                 session->poll_only
                     ? ": behind a transaction pooler, so polling only, without NOTIFY"
                     : "");
        open_for_work(j);
        return;
    }
    /* Each worker says why; here it is only shown. */
    snprintf(j->held_back, sizeof(j->held_back), "%s", err.text);
    snprintf(j->score.text, sizeof(j->score.text), "%.*s", (int)sizeof(j->score.text) - 1,
             err.text);
    loop_timer_in(j->loop, &j->look_again, LOOK_AGAIN_MS);
}

static void
on_down(void *owner, const struct err *why, int64_t wait_ms)
{
    struct janitor *j = owner;
    struct duty *all[] = {&j->heartbeat, &j->sweep, &j->promote, &j->survey};

    for (size_t i = 0; i < LENGTH(all); i++) {
        ev_timer_stop(j->loop, &all[i]->timer);
        all[i]->asked = all[i]->again = false;
    }
    reaping_session_lost(j);
    if (strcmp(j->score.text, why->text) != 0 && j->held_back[0] == '\0')
        log_warn("no database: %s; trying again in %lld ms and on", why->text, (long long)wait_ms);
    if (why->class != ERR_CONFIG)
        j->held_back[0] = '\0';
    snprintf(j->score.text, sizeof(j->score.text), "%.*s", (int)sizeof(j->score.text) - 1,
             why->text);
    j->open = false;
    j->score.backend_pid = 0;
}

static void
on_news(void *owner, const char *payload)
{
    struct janitor *j = owner;

    if (strcmp(payload, "cancel") == 0)
        duty_in(j, &j->heartbeat, 0); /* cancellations come with its answer */
    else if (strcmp(payload, "scheduled") == 0)
        duty_in(j, &j->promote, 0);
    else
        order_say(j->port, ORDER_NEWS);
}

static const struct db_events db_events = {.up = on_up, .down = on_down, .news = on_news};

static void
on_look_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct janitor *j = timer->data;

    (void)loop;
    (void)events;
    db_restart(j->db, ERR_CONFIG, j->held_back);
}

static void
on_order(void *owner, const struct order *order)
{
    struct janitor *j = owner;

    if (order->what == ORDER_REAP)
        reaping_order(j, order);
    else if (order->what == ORDER_DRAIN || order->what == ORDER_STOP)
        ev_break(j->loop, EVBREAK_ALL);
}

static void
on_supervisor_gone(void *owner)
{
    (void)owner;
    _exit(CHILD_EXIT_PLANNED);
}

static void
on_signal(struct ev_loop *loop, ev_signal *signal, int events)
{
    (void)signal;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static void
duty_init(struct janitor *j, struct duty *d, void (*ask)(struct janitor *j))
{
    d->ask = ask;
    loop_timer_init(&d->timer, on_duty);
    d->timer.data = j;
}

static void
init(struct janitor *j, const struct child *child)
{
    *j = (struct janitor){.child = child, .conf = child->conf, .loop = loop_get()};
    duty_init(j, &j->heartbeat, leases_heartbeat);
    duty_init(j, &j->sweep, reaping_sweep);
    duty_init(j, &j->promote, promoting_promote);
    duty_init(j, &j->survey, promoting_survey);
    loop_timer_init(&j->beat, on_beat);
    loop_timer_init(&j->look_again, on_look_again);
    j->beat.data = j->look_again.data = j;
    loop_signal_init(&j->term, on_signal, SIGTERM);
    LOOP_START(j->loop, signal, &j->term, j);
    loop_signal_init(&j->interrupt, on_signal, SIGINT);
    LOOP_START(j->loop, signal, &j->interrupt, j);
    loop_signal_init(&j->quit, on_signal, SIGQUIT);
    LOOP_START(j->loop, signal, &j->quit, j);
    j->port = order_port_new(j->loop, child->order_fd, on_order, on_supervisor_gone, j);
}

int
janitor_main(const struct child *child)
{
    static struct janitor j;
    char name[128];
    struct err err;
    struct db_options options = {
        .url = child->conf->db_url,
        .role = child->conf->db_role,
        .schema = child->conf->schema,
        .application_name = name,
        .connect_timeout_ms = child->conf->connect_timeout_ms,
        .statement_timeout_ms = child->conf->statement_timeout_ms,
        .listen = child->conf->db_listen == CONF_LISTEN_AUTO,
    };

    init(&j, child);
    snprintf(name, sizeof(name), "pgcrew/%.40s/janitor", child->conf->name);
    if (!db_new(j.loop, &options, &db_events, &j, &j.db, &err)) {
        log_error("%s", err.text);
        return CHILD_EXIT_CONFIG;
    }
    db_start(j.db);
    loop_timer_in(j.loop, &j.beat, 0);
    order_say(j.port, ORDER_READY);
    ev_run(j.loop, 0);
    return CHILD_EXIT_PLANNED;
}
