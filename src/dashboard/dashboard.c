/*
 * The dashboard's loop: two sessions with the daemon's login, and what is served.
 */
#include "dashboard/dashboard.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "dashboard/internal.h"
#include "queue/queue.h"

#define DRAIN_MS 3000
#define LOOK_AGAIN_MS 5000
#define STREAM_BUFFER_MAX ((size_t)2 * 1024 * 1024) /* several overviews */

#define API "/dashboard/api/"

static const struct web_route routes[] = {
    {WEB_GET, "/", door_page, 0},
    {WEB_GET, "/metrics", scrape_metrics, 0},
    {WEB_GET, "/dashboard/{}", door_page, 0},
    {WEB_POST, API "login", door_login, 0},
    {WEB_POST, API "logout", door_logout, 0},
    {WEB_GET, API "session", door_session, 0},
    {WEB_GET, API "overview", watch_overview, 0},
    {WEB_GET, API "live", watch_live, 0},
    {WEB_GET, API "jobs", jobs_search, 0},
    {WEB_GET, API "jobs/{}", jobs_show, 0},
    {WEB_POST, API "jobs/{}/{}", jobs_act, 0},
    {WEB_POST, API "bulk", bulk_act, 0},
    {WEB_GET, API "batches", lists_batches, 0},
    {WEB_GET, API "batches/{}", lists_batch, 0},
    {WEB_POST, API "batches/{}/{}", lists_batch_act, 0},
    {WEB_GET, API "queues", lists_queues, 0},
    {WEB_POST, API "queues/{}/{}", lists_queue_act, 0},
    {WEB_GET, API "schedules", lists_schedules, 0},
    {WEB_POST, API "schedules/{}/{}", lists_schedule_act, 0},
    {WEB_GET, API "errors", lists_errors, 0},
    {WEB_GET, API "hosts", lists_hosts, 0},
};

/* --- the sessions ------------------------------------------------------------------------ */

static bool
is_first(const struct desk *desk)
{
    return desk == &desk->d->desks[0];
}

static void
be_without(struct desk *desk, const struct err *why)
{
    desk->open = false;
    desk->is_held = why->class == ERR_CONFIG;
    /* One of the two says it. */
    if (is_first(desk) && strcmp(desk->why_not, why->text) != 0)
        log_warn("no database: %s", why->text);
    snprintf(desk->why_not, sizeof(desk->why_not), "%s", why->text);
    front_show(desk->d->front);
}

static void
on_up(void *owner, const struct db_session *session)
{
    struct desk *desk = owner;
    struct err err = {0};

    desk->connects++;
    desk->backend_pid = session->backend_pid;
    if (!queue_schema_fits(session, &err)) {
        be_without(desk, &err);
        loop_timer_in(desk->d->loop, &desk->look_again, LOOK_AGAIN_MS);
        return;
    }
    desk->open = true;
    desk->is_held = false;
    desk->why_not[0] = '\0';
    if (is_first(desk))
        log_info("connected to %s", db_shown(desk->db));
    front_show(desk->d->front);
}

static void
on_down(void *owner, const struct err *why, UNUSED int64_t wait_ms)
{
    struct desk *desk = owner;

    desk->backend_pid = 0;
    be_without(desk, why);
}

static const struct db_events db_events = {.up = on_up, .down = on_down};

static void
on_look_again(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct desk *desk = timer->data;

    db_restart(desk->db, ERR_CONFIG, desk->why_not);
}

static bool
open_desk(struct dashboard *d, enum desk_name name, struct err *err)
{
    static char application_name[128];
    struct desk *desk = &d->desks[name];
    struct db_options options = {
        .url = d->conf->db_url,
        .role = d->conf->db_role,
        .schema = d->conf->schema,
        .application_name = application_name,
        .connect_timeout_ms = d->conf->connect_timeout_ms,
        .statement_timeout_ms = ASK_LONG_MS, /* each transaction says its own */
    };

    snprintf(application_name, sizeof(application_name), "pgcrew/%.40s/dashboard", d->conf->name);
    *desk = (struct desk){.d = d, .why_not = "not connected yet"};
    loop_timer_init(&desk->look_again, on_look_again);
    desk->look_again.data = desk;
    return db_new(d->loop, &options, &db_events, desk, &desk->db, err);
}

/* --- what is served ---------------------------------------------------------------------- */

static void
look(void *owner, struct board_score *score)
{
    struct dashboard *d = owner;
    const struct desk *first = &d->desks[0];

    score->state = first->open ? BOARD_IDLE : first->is_held ? BOARD_HELD : BOARD_CONNECTING;
    snprintf(score->text, sizeof(score->text), "%.*s", (int)sizeof(score->text) - 1,
             first->why_not);
    score->backend_pid = first->backend_pid;
    score->db_errors = d->db_errors;
    score->round_trips = score->connects = 0;
    for (int i = 0; i < DESKS; i++) {
        score->round_trips += db_round_trips(d->desks[i].db);
        score->connects += d->desks[i].connects;
    }
}

static bool
open_all(struct dashboard *d, struct err *err)
{
    struct front_options options = {
        .limits = &d->conf->dashboard,
        .routes = routes,
        .n_routes = LENGTH(routes),
        .before = door_before,
        .owner = d,
        .stream_buffer_max = STREAM_BUFFER_MAX,
        .look = look,
        .drain_ms = DRAIN_MS,
    };

    for (int i = 0; i < DESKS; i++) {
        if (!open_desk(d, i, err))
            return false;
    }
    return front_new(d->child, &options, &d->front, err);
}

int
dashboard_main(const struct child *child)
{
    static struct dashboard d;
    struct err err = {0};

    d = (struct dashboard){.child = child, .conf = child->conf, .loop = loop_get()};
    login_init(&d.login, d.conf);
    d.watch = watch_new(&d);
    if (!open_all(&d, &err))
        return front_refuse(child, &err);
    for (int i = 0; i < DESKS; i++)
        db_start(d.desks[i].db);
    return front_run(d.front);
}
