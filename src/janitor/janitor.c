/*
 * The janitor's loop: a session, duties with a timer each, and orders.
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

#define LOOK_AGAIN_MS 5000
#define BEATS_PER_LEASE 6
#define SWEEPS_PER_LEASE 3
#define SURVEY_EVERY_MS 15000
#define SOON 4 /* parts of a duty's time: in the last it goes along with others */

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
    loop_timer_in(loop, timer, board_beat_ms(j->conf->stall_ms));
}

size_t
janitor_workers(const struct janitor *j, struct uuid ret[BOARD_PLACES],
                bool ret_holds[BOARD_PLACES])
{
    struct board_roster who;
    struct board_score score;
    size_t n = 0;

    for (int place = 0; place < BOARD_PLACES; place++) {
        if (!board_read(j->child->board, place, &who, &score) || who.role != BOARD_WORKER)
            continue;
        if (ret_holds != NULL)
            ret_holds[n] = score.holds;
        ret[n++] = who.process;
    }
    return n;
}

/* --- duties --------------------------------------------------------------------------- */

/* It may have to wait for locks of others, and the leases must not wait with it. */
static bool
is_always_alone(const struct duty *d)
{
    return d->ask == reaping_sweep;
}

/* What is due in less than a quarter of its time, and may share a transaction. */
static bool
goes_along(const struct duty *d)
{
    return loop_timer_runs(&d->timer) && !d->alone &&
           d->due_mono_ms - clock_mono_ms() <= d->every_ms / SOON;
}

static void
ask(struct janitor *j, struct duty *d, bool shared)
{
    ev_timer_stop(j->loop, &d->timer);
    d->asked = true;
    d->shared = shared;
    d->ask(j);
}

static void
on_duty(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct janitor *j = timer->data;
    struct duty *due = NULL;

    (void)loop;
    (void)events;
    for (size_t i = 0; i < DUTIES; i++) {
        if (&j->duties[i].timer == timer)
            due = &j->duties[i];
    }
    if (due == NULL || !j->open || due->asked)
        return;
    if (due->alone) {
        ask(j, due, false);
        db_commit(j->db);
        return;
    }
    for (struct duty *d = j->duties; d < j->duties + DUTIES; d++) {
        if (d == due || goes_along(d))
            ask(j, d, true);
    }
    db_commit(j->db);
}

void
duty_in(struct janitor *j, enum duty_name name, int64_t ms)
{
    struct duty *d = &j->duties[name];

    if (!j->open)
        return;
    if (d->asked) {
        d->again |= ms == 0;
        return;
    }
    d->due_mono_ms = clock_mono_ms() + ms;
    loop_timer_in(j->loop, &d->timer, ms);
}

/* Another duty may be to blame: each tries again by itself, at once. */
static int64_t
next_after(struct duty *d, int64_t ms, const struct err *err)
{
    bool was_shared = d->shared;

    d->shared = false;
    if (err == NULL) {
        d->alone = is_always_alone(d);
        return ms;
    }
    d->alone = true;
    return was_shared ? 0 : ms;
}

void
duty_answered(struct janitor *j, enum duty_name name, int64_t ms, const struct err *err,
              const char *what)
{
    struct duty *d = &j->duties[name];

    d->asked = false;
    ms = next_after(d, ms, err);
    if (err != NULL && err->class != ERR_UNCERTAIN) {
        j->score.db_errors++;
        log_warn("cannot %s: %s, trying again in %lld ms", what, err->text, (long long)ms);
    }
    if (err != NULL && err->class == ERR_CONFIG)
        db_restart(j->db, ERR_CONFIG, err->text);
    duty_in(j, name, d->again ? 0 : ms);
    d->again = false;
}

static void
open_for_work(struct janitor *j)
{
    j->open = true;
    j->held_back[0] = j->score.text[0] = '\0';
    /* Reaping first: those jobs wait already. */
    reaping_go_on(j);
    duty_in(j, DUTY_HEARTBEAT, 0);
    duty_in(j, DUTY_PROMOTE, 0);
    duty_in(j, DUTY_SWEEP, j->duties[DUTY_SWEEP].every_ms);
    duty_in(j, DUTY_SURVEY, j->conf->poll_ms);
    duty_in(j, DUTY_HEALTH, j->conf->poll_ms);
    if (j->conf->stall_after_ms > 0)
        duty_in(j, DUTY_STALL, j->duties[DUTY_STALL].every_ms);
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
        if (session->schema_version > QUEUE_SCHEMA_VERSION)
            log_info("the schema has version %d, this program is of %d and fits: a newer pgcrew is "
                     "waiting for this host",
                     session->schema_version, QUEUE_SCHEMA_VERSION);
        if (session->poll_only && j->conf->db_durability == CONF_RELAXED)
            log_warn("behind a transaction pooler database.durability is strict, whatever the "
                     "configuration says");
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

    for (struct duty *d = j->duties; d < j->duties + DUTIES; d++) {
        ev_timer_stop(j->loop, &d->timer);
        d->asked = d->again = d->shared = false;
        d->alone = is_always_alone(d);
    }
    reaping_session_lost(j);
    stalling_session_lost(j, why->text);
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
        duty_in(j, DUTY_HEARTBEAT, 0); /* cancellations come with its answer */
    else if (strcmp(payload, "scheduled") == 0)
        duty_in(j, DUTY_PROMOTE, 0);
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
init_duties(struct janitor *j)
{
    const struct conf *conf = j->conf;

    j->duties[DUTY_PROMOTE] = (struct duty){.ask = promoting_promote, .every_ms = conf->poll_ms};
    j->duties[DUTY_HEARTBEAT] =
        (struct duty){.ask = leases_heartbeat, .every_ms = conf->lease_ms / BEATS_PER_LEASE};
    j->duties[DUTY_SURVEY] = (struct duty){.ask = promoting_survey, .every_ms = SURVEY_EVERY_MS};
    j->duties[DUTY_STALL] =
        (struct duty){.ask = stalling_look, .every_ms = stalling_every_ms(conf)};
    j->duties[DUTY_HEALTH] = (struct duty){.ask = health_measure, .every_ms = conf->health_ms};
    j->duties[DUTY_SWEEP] =
        (struct duty){.ask = reaping_sweep, .every_ms = conf->lease_ms / SWEEPS_PER_LEASE};
    for (struct duty *d = j->duties; d < j->duties + DUTIES; d++) {
        d->alone = is_always_alone(d);
        loop_timer_init(&d->timer, on_duty);
        d->timer.data = j;
    }
}

static void
init(struct janitor *j, const struct child *child)
{
    *j = (struct janitor){.child = child, .conf = child->conf, .loop = loop_get()};
    init_duties(j);
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
