/*
 * The gateway's loop: a session with its own login, and what is served.
 */
#include "gateway/gateway.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "config/conf.h"
#include "db/db.h"
#include "front/front.h"

/* Longer than a statement may take, a drain need not be; the supervisor waits for 8 s. */
#define DRAIN_MAX_MS 7000

struct gateway {
    const struct conf *conf;
    struct front *front;
    struct db *db;
    bool up;
    char why[160]; /* there is no session; "": not yet */
    bool is_held;  /* and a person has to act */
    int backend_pid;
    uint64_t connects;
};

/* --- the session ------------------------------------------------------------------------ */

static void
on_up(void *owner, const struct db_session *session)
{
    struct gateway *g = owner;

    g->up = true;
    g->is_held = false;
    g->why[0] = '\0';
    g->backend_pid = session->backend_pid;
    g->connects++;
    log_info("connected to %s", db_shown(g->db));
    front_show(g->front);
}

static void
on_down(void *owner, const struct err *why, int64_t wait_ms)
{
    struct gateway *g = owner;

    g->up = false;
    g->is_held = why->class == ERR_CONFIG;
    g->backend_pid = 0;
    if (strcmp(g->why, why->text) != 0)
        log_warn("no database: %s; trying again in %lld ms and on", why->text, (long long)wait_ms);
    snprintf(g->why, sizeof(g->why), "%.*s", (int)sizeof(g->why) - 1, why->text);
    front_show(g->front);
}

static const struct db_events db_events = {.up = on_up, .down = on_down};

static bool
open_session(struct gateway *g, struct err *err)
{
    char name[128];
    struct db_options options = {
        .url = g->conf->gateway_url,
        .application_name = name,
        .connect_timeout_ms = g->conf->connect_timeout_ms,
        .statement_timeout_ms = g->conf->gateway_statement_ms,
    };

    snprintf(name, sizeof(name), "pgcrew/%.40s/gateway", g->conf->name);
    return db_new(loop_get(), &options, &db_events, g, &g->db, err);
}

/* --- what is served ---------------------------------------------------------------------- */

static void
look(void *owner, struct board_score *score)
{
    struct gateway *g = owner;

    score->state = g->up ? BOARD_IDLE : g->is_held ? BOARD_HELD : BOARD_CONNECTING;
    snprintf(score->text, sizeof(score->text), "%s", g->why);
    score->backend_pid = g->backend_pid;
    score->round_trips = db_round_trips(g->db);
    score->connects = g->connects;
}

static int64_t
drain_ms(const struct conf *conf)
{
    int64_t ms = conf->gateway_statement_ms + 1000;

    return ms < DRAIN_MAX_MS ? ms : DRAIN_MAX_MS;
}

static bool
begin(struct gateway *g, const struct child *child, struct err *err)
{
    struct front_options options = {
        .limits = &child->conf->gateway,
        .owner = g,
        .look = look,
        .drain_ms = drain_ms(child->conf),
    };

    g->conf = child->conf;
    return open_session(g, err) && front_new(child, &options, &g->front, err);
}

int
gateway_main(const struct child *child)
{
    static struct gateway g;
    struct err err = {0};

    if (!begin(&g, child, &err))
        return front_refuse(child, &err);
    db_start(g.db);
    return front_run(g.front);
}
