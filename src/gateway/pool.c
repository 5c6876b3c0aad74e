#include "gateway/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/rights.h"
#include "sqltext.h"

#define LOOK_AGAIN_MS 5000

static const struct statement act_as = {"user_act_as", sql_gateway_act_as};

struct seat { /* a session */
    struct pool *pool;
    struct db *db;
    char name[64];
    ev_timer look_again; /* for our schema */
    bool usable;
    int backend_pid;
    int under_way;
};

struct pool {
    struct ev_loop *loop;
    const struct conf *conf;
    void (*changed)(void *owner);
    void *owner;
    char why[512];
    bool is_held;
    bool is_looked_at; /* what the login may do */
    uint64_t connects, errors;
    int n;
    struct seat seats[];
};

struct errand {
    struct seat *seat;
    pool_answer *answer;
    void *arg;
};

static void
trouble(struct pool *p, enum err_class class, const char *why)
{
    p->is_held = class == ERR_CONFIG;
    if (strcmp(p->why, why) != 0) {
        snprintf(p->why, sizeof(p->why), "%s", why);
        log_warn("no database: %s; trying again", why);
    }
    p->changed(p->owner);
}

static void
on_up(void *owner, const struct db_session *session)
{
    struct seat *s = owner;
    struct pool *p = s->pool;

    p->connects++;
    s->backend_pid = session->backend_pid;
    if (session->schema_version <= 0) {
        trouble(p, ERR_CONFIG, "pgcrew has no tables in this database: run pgcrew migrate");
        loop_timer_in(p->loop, &s->look_again, LOOK_AGAIN_MS);
        return;
    }
    if (!pool_is_up(p))
        log_info("connected to %s (server %d)", db_shown(s->db), session->server_version / 10000);
    if (!p->is_looked_at)
        rights_look(s->db, p->conf);
    p->is_looked_at = true;
    s->usable = true;
    p->is_held = false;
    p->why[0] = '\0';
    p->changed(p->owner);
}

static void
on_down(void *owner, const struct err *why, int64_t wait_ms)
{
    struct seat *s = owner;

    (void)wait_ms;
    s->usable = false;
    s->backend_pid = 0;
    ev_timer_stop(s->pool->loop, &s->look_again);
    trouble(s->pool, why->class, why->text);
}

static void
on_look_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct seat *s = timer->data;

    (void)loop;
    (void)events;
    db_restart(s->db, ERR_CONFIG, s->pool->why);
}

static const struct db_events seat_events = {.up = on_up, .down = on_down};

static bool
seat_open(struct pool *p, int i, struct err *err)
{
    struct seat *s = &p->seats[i];
    const struct db_options options = {
        .url = p->conf->gateway_url,
        .application_name = s->name,
        .connect_timeout_ms = p->conf->connect_timeout_ms,
        .statement_timeout_ms = p->conf->gateway_statement_ms,
        .reads_too = true,
    };

    s->pool = p;
    snprintf(s->name, sizeof(s->name), "pgcrew/%.40s/gateway", p->conf->name);
    loop_timer_init(&s->look_again, on_look_again);
    s->look_again.data = s;
    return db_new(p->loop, &options, &seat_events, s, &s->db, err);
}

bool
pool_new(struct ev_loop *loop, const struct conf *conf, void (*changed)(void *owner), void *owner,
         struct pool **ret, struct err *err)
{
    size_t n = (size_t)conf->gateway_sessions;
    struct pool *p = xcalloc(1, sizeof(*p) + n * sizeof(p->seats[0]));

    p->loop = loop;
    p->conf = conf;
    p->changed = changed;
    p->owner = owner;
    for (; p->n < (int)n; p->n++) {
        if (!seat_open(p, p->n, err)) {
            pool_free(p);
            return false;
        }
    }
    *ret = p;
    return true;
}

void
pool_free(struct pool *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < p->n; i++) {
        ev_timer_stop(p->loop, &p->seats[i].look_again);
        db_free(p->seats[i].db);
    }
    free(p);
}

void
pool_start(struct pool *p)
{
    for (int i = 0; i < p->n; i++)
        db_start(p->seats[i].db);
}

bool
pool_is_up(const struct pool *p)
{
    for (int i = 0; i < p->n; i++) {
        if (p->seats[i].usable)
            return true;
    }
    return false;
}

void
pool_facts(const struct pool *p, struct pool_facts *ret)
{
    *ret = (struct pool_facts){
        .why = p->why, .is_held = p->is_held, .connects = p->connects, .errors = p->errors};
    for (int i = 0; i < p->n; i++) {
        ret->round_trips += db_round_trips(p->seats[i].db);
        if (p->seats[i].backend_pid != 0)
            ret->backend_pid = p->seats[i].backend_pid;
    }
}

static struct seat *
least_busy(struct pool *p)
{
    struct seat *best = NULL;

    for (struct seat *s = p->seats; s < p->seats + p->n; s++) {
        if (s->usable && db_is_up(s->db) && (best == NULL || s->under_way < best->under_way))
            best = s;
    }
    return best;
}

static void
become(struct db *db, const struct conf *conf, const struct act *act)
{
    char timeout[32], path[256];
    struct params p;

    snprintf(timeout, sizeof(timeout), "%lld", (long long)conf->gateway_statement_ms);
    text_printable(path, sizeof(path), act->path, strlen(act->path));
    params_init(&p);
    param_text(&p, act->role);
    param_text(&p, act->claims);
    param_text(&p, act->method);
    param_text(&p, path);
    param_text(&p, timeout);
    param_text(&p, act->writes ? "off" : "on");
    db_ask(db, &act_as, &p, NULL, NULL);
}

static void
on_answer(void *arg, const PGresult *res, const struct err *err)
{
    struct errand e = *(struct errand *)arg;

    free(arg);
    e.seat->under_way--;
    if (err != NULL && err->class != ERR_PERMANENT)
        e.seat->pool->errors++;
    e.answer(e.arg, res, err, res != NULL ? NULL : db_failure(e.seat->db));
}

bool
pool_ask(struct pool *p, const struct act *act, const struct statement *what, struct params *params,
         pool_answer *answer, void *arg)
{
    struct seat *s = least_busy(p);
    struct errand *errand;

    if (s == NULL) {
        params_release(params);
        return false;
    }
    errand = xmalloc(sizeof(*errand));
    *errand = (struct errand){s, answer, arg};
    s->under_way++;
    become(s->db, p->conf, act);
    if (act->first != NULL)
        db_ask(s->db, act->first, NULL, NULL, NULL);
    db_ask(s->db, what, params, on_answer, errand);
    db_commit(s->db);
    return true;
}

bool
pool_is_acting(const struct statement *what)
{
    return what == &act_as;
}
