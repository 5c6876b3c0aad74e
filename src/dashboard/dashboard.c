/*
 * The dashboard's loop: a session with the daemon's login, and what is served.
 */
#include "dashboard/dashboard.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/conf.h"
#include "db/db.h"
#include "front/front.h"
#include "queue/queue.h"

#define DRAIN_MS 3000
#define LOOK_AGAIN_MS 5000

struct dashboard {
    const struct conf *conf;
    struct front *front;
    struct db *db;
    bool up; /* there is a session and it fits */
    char why[160];
    bool is_held; /* a person has to act */
    int backend_pid;
    uint64_t connects;
    ev_timer look_again;
};

/* --- the session ------------------------------------------------------------------------ */

static void
be_without(struct dashboard *d, const struct err *why)
{
    d->up = false;
    d->is_held = why->class == ERR_CONFIG;
    if (strncmp(d->why, why->text, sizeof(d->why) - 1) != 0)
        log_warn("no database: %s", why->text);
    snprintf(d->why, sizeof(d->why), "%.*s", (int)sizeof(d->why) - 1, why->text);
    front_show(d->front);
}

static void
on_up(void *owner, const struct db_session *session)
{
    struct dashboard *d = owner;
    struct err err = {0};

    d->connects++;
    d->backend_pid = session->backend_pid;
    if (!queue_schema_fits(session, &err)) {
        be_without(d, &err);
        loop_timer_in(loop_get(), &d->look_again, LOOK_AGAIN_MS);
        return;
    }
    d->up = true;
    d->is_held = false;
    d->why[0] = '\0';
    log_info("connected to %s", db_shown(d->db));
    front_show(d->front);
}

static void
on_down(void *owner, const struct err *why, UNUSED int64_t wait_ms)
{
    struct dashboard *d = owner;

    d->backend_pid = 0;
    be_without(d, why);
}

static const struct db_events db_events = {.up = on_up, .down = on_down};

static void
on_look_again(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct dashboard *d = timer->data;

    db_restart(d->db, ERR_CONFIG, d->why);
}

static bool
open_session(struct dashboard *d, struct err *err)
{
    char name[128];
    struct db_options options = {
        .url = d->conf->db_url,
        .role = d->conf->db_role,
        .schema = d->conf->schema,
        .application_name = name,
        .connect_timeout_ms = d->conf->connect_timeout_ms,
        .statement_timeout_ms = d->conf->statement_timeout_ms,
    };

    snprintf(name, sizeof(name), "pgcrew/%.40s/dashboard", d->conf->name);
    loop_timer_init(&d->look_again, on_look_again);
    d->look_again.data = d;
    return db_new(loop_get(), &options, &db_events, d, &d->db, err);
}

/* --- what is served ---------------------------------------------------------------------- */

static void
look(void *owner, struct board_score *score)
{
    struct dashboard *d = owner;

    score->state = d->up ? BOARD_IDLE : d->is_held ? BOARD_HELD : BOARD_CONNECTING;
    snprintf(score->text, sizeof(score->text), "%s", d->why);
    score->backend_pid = d->backend_pid;
    score->round_trips = db_round_trips(d->db);
    score->connects = d->connects;
}

int
dashboard_main(const struct child *child)
{
    static struct dashboard d;
    struct front_options options = {
        .limits = &child->conf->dashboard,
        .owner = &d,
        .look = look,
        .drain_ms = DRAIN_MS,
    };
    struct err err = {0};

    d.conf = child->conf;
    if (!open_session(&d, &err) || !front_new(child, &options, &d.front, &err))
        return front_refuse(child, &err);
    db_start(d.db);
    return front_run(d.front);
}
