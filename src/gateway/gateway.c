/*
 * The gateway's loop: what it is made of, and what is served.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "gateway/state.h"

#define SKEW_S 30         /* of clocks, in tokens */
#define KEYS_LOOK_MS 3000 /* at the file of the keys */
#define STREAM_BUFFER_MAX ((size_t)2 * 1024 * 1024)
/* Longer than a statement may take, a drain need not be; the supervisor waits for 8 s. */
#define DRAIN_MAX_MS 7000

/* OPTIONS is left to the server. */
#define ANY_METHOD (WEB_GET | WEB_POST | WEB_DELETE)

static const struct web_route routes[] = {
    /* clang-format off */
    {WEB_GET,            "/api/batch_status",       api_batch_status, 0},
    {WEB_POST,           "/api/jobs",               api_jobs,         0},
    {WEB_POST,           "/api/batches/{}/cancel",  api_cancel,       0},
    {WEB_GET,            "/api/batches/{}/events",  api_events,       0},
    {WEB_GET | WEB_POST, "/rest/v1/rpc/{}",         rpc_call,         0},
    {WEB_GET,            "/rest/v1/jobs",           rest_jobs,        0},
    {ANY_METHOD,         "/rest/v1/jobs",           rest_jobs_read_only, 0},
    {ANY_METHOD,         "/rest/v1/{...}",          rest_elsewhere,   0},
    /* clang-format on */
};

/* --- keys -------------------------------------------------------------------------------- */

static bool
read_keys(struct gateway *g, struct err *err)
{
    const struct jwt_key_source from = {g->conf->jwt_secret, g->conf->jwks_file};

    g->policy = (struct jwt_policy){g->conf->jwt_audience, g->conf->jwt_issuer, SKEW_S};
    return jwt_keys_new(&from, &g->keys, err);
}

static void
on_keys_look(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct gateway *g = timer->data;
    bool changed = false;
    struct err err;

    (void)events;
    if (!jwt_keys_refresh(g->keys, &changed, &err)) {
        if (!g->keys_are_stale)
            log_warn("%s; the keys stay as they were", err.text);
        g->keys_are_stale = true;
    } else if (changed || g->keys_are_stale) {
        log_info("%zu keys for tokens", jwt_keys_count(g->keys));
        g->keys_are_stale = false;
    }
    loop_timer_in(loop, timer, KEYS_LOOK_MS);
}

/* --- the process ------------------------------------------------------------------------- */

static void
look(void *owner, struct board_score *score)
{
    const struct gateway *g = owner;
    struct pool_facts facts;

    pool_facts(g->pool, &facts);
    score->state = pool_is_up(g->pool) ? (g->asked > 0 ? BOARD_BUSY : BOARD_IDLE)
                   : facts.is_held     ? BOARD_HELD
                                       : BOARD_CONNECTING;
    snprintf(score->text, sizeof(score->text), "%.*s", (int)sizeof(score->text) - 1, facts.why);
    score->backend_pid = facts.backend_pid;
    score->round_trips = facts.round_trips;
    score->connects = facts.connects;
    score->db_errors = facts.errors;
}

static void
on_pool_changed(void *owner)
{
    const struct gateway *g = owner;

    front_show(g->front);
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
    const struct front_options options = {
        .limits = &child->conf->gateway,
        .routes = routes,
        .n_routes = LENGTH(routes),
        .before = cors_before,
        .owner = g,
        .stream_buffer_max = STREAM_BUFFER_MAX,
        .look = look,
        .drain_ms = drain_ms(child->conf),
    };

    *g = (struct gateway){.conf = child->conf, .loop = loop_get()};
    g->events = events_new(g);
    loop_timer_init(&g->keys_look, on_keys_look);
    g->keys_look.data = g;
    return read_keys(g, err) && pool_new(g->loop, g->conf, on_pool_changed, g, &g->pool, err) &&
           front_new(child, &options, &g->front, err);
}

int
gateway_main(const struct child *child)
{
    static struct gateway g;
    struct err err = {0};

    if (!begin(&g, child, &err))
        return front_refuse(child, &err);
    pool_start(g.pool);
    loop_timer_in(g.loop, &g.keys_look, KEYS_LOOK_MS);
    return front_run(g.front);
}
