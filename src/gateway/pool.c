#include "gateway/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sqltext.h"

#define LOOK_AGAIN_MS 5000
#define CONNECT_TIMEOUT_MS 10000

static const struct statement act_as = {"pgcrew_act_as", sql_gateway_act_as};

struct seat { /* a session */
    struct pool *pool;
    struct db *db;
    char name[64];
    ev_timer look_again; /* for our schema */
    bool usable;
    int under_way;
};

struct pool {
    struct ev_loop *loop;
    const struct conf *conf;
    char why[512];
    int n;
    struct seat seats[];
};

struct errand {
    struct seat *seat;
    pool_answer *answer;
    void *arg;
};

static void
remember(struct pool *p, const char *why)
{
    if (strcmp(p->why, why) == 0)
        return;
    snprintf(p->why, sizeof(p->why), "%s", why);
    if (why[0] != '\0')
        log_warn("no database: %s; trying again", why);
}

static void
on_up(void *owner, const struct db_session *session)
{
    struct seat *s = owner;

    if (session->schema_version <= 0) {
        remember(s->pool, "there is no public.jobs of pgcrew in this database: run pgcrew migrate");
        loop_timer_in(s->pool->loop, &s->look_again, LOOK_AGAIN_MS);
        return;
    }
    if (!pool_is_up(s->pool))
        log_info("connected to %s (server %d)", db_shown(s->db), session->server_version / 10000);
    s->usable = true;
    s->pool->why[0] = '\0';
}

static void
on_down(void *owner, const struct err *why, int64_t wait_ms)
{
    struct seat *s = owner;

    (void)wait_ms;
    s->usable = false;
    ev_timer_stop(s->pool->loop, &s->look_again);
    remember(s->pool, why->text);
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
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .statement_timeout_ms = p->conf->gateway_statement_ms,
    };

    s->pool = p;
    snprintf(s->name, sizeof(s->name), "pgcrew/%.40s/gateway", p->conf->name);
    loop_timer_init(&s->look_again, on_look_again);
    s->look_again.data = s;
    if (!db_new(p->loop, &options, &seat_events, s, &s->db, err))
        return false;
    db_start(s->db);
    return true;
}

bool
pool_new(struct ev_loop *loop, const struct conf *conf, struct pool **ret, struct err *err)
{
    size_t n = (size_t)conf->gateway_sessions;
    struct pool *p = xcalloc(1, sizeof(*p) + n * sizeof(p->seats[0]));

    p->loop = loop;
    p->conf = conf;
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

bool
pool_is_up(const struct pool *p)
{
    for (int i = 0; i < p->n; i++) {
        if (p->seats[i].usable)
            return true;
    }
    return false;
}

const char *
pool_why(const struct pool *p)
{
    return p->why;
}

uint64_t
pool_round_trips(const struct pool *p)
{
    uint64_t sum = 0;

    for (int i = 0; i < p->n; i++)
        sum += db_round_trips(p->seats[i].db);
    return sum;
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
