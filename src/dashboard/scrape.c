/*
 * GET /metrics: what the daemon of this host and the database say, as text for Prometheus.
 *
 * Whoever asks within a second is told the same.  Each half has its time and is left out when
 * it does not keep it; the database is not asked again before it has answered.
 */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "dashboard/internal.h"
#include "ipc/ctl_ask.h"
#include "metrics/facts.h"
#include "metrics/metrics.h"
#include "queue/queue.h"
#include "sqltext.h"

#define FRESH_MS 1000
#define DAEMON_MS 2000
#define DATABASE_MS 2000 /* of a statement; the whole answer may take a little longer */
#define PATIENCE_MS 3000
#define COUNT_MAX 10000

static const struct statement st_queues = {"desk_metric_queues", sql_cli_queues};
static const struct statement st_claimed = {"desk_metric_claimed", sql_cli_claimed};
static const struct statement st_health = {"desk_metric_health", sql_health};

/* Lives in the arena of its request. */
struct asker {
    struct asker *next;
    struct web_request *r;
};

/* There is one a process. */
struct scrape {
    struct dashboard *d;
    struct asker *askers;
    bool daemon_asked, database_asked; /* and not answered yet */
    ev_timer patience;
    json_t *daemon;       /* of this look; NULL: none */
    json_t *next;         /* what has come of the database's half so far */
    json_t *database;     /* its last whole one */
    int64_t look_mono_ms; /* when the last look was over; 0: never */
    int64_t database_mono_ms, asked_real_ms;
    struct buf text;
};

/* --- telling ---------------------------------------------------------------------------- */

static void
write_text(struct scrape *s)
{
    bool is_fresh = s->database != NULL && clock_mono_ms() - s->database_mono_ms < PATIENCE_MS;
    json_t *facts =
        json_pack("{s:O?, s:O?}", "daemon", s->daemon, "database", is_fresh ? s->database : NULL);

    buf_clear(&s->text);
    metrics_write(facts, &s->text);
    json_decref(facts);
}

static void
tell(struct scrape *s)
{
    struct asker *asker, *all = s->askers;

    ev_timer_stop(s->d->loop, &s->patience);
    s->look_mono_ms = clock_mono_ms();
    write_text(s);
    s->askers = NULL;
    while ((asker = all) != NULL) {
        all = asker->next;
        web_answer(asker->r, 200, METRICS_TYPE, s->text.data, s->text.len);
    }
}

static void
tell_if_all(struct scrape *s)
{
    if (s->askers != NULL && !s->daemon_asked && !s->database_asked)
        tell(s);
}

static void
on_impatient(UNUSED struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    tell(timer->data);
}

/* --- the daemon --------------------------------------------------------------------------- */

static void
on_daemon(void *arg, const msgpack_object *result, UNUSED const struct err *err)
{
    struct scrape *s = arg;

    s->daemon_asked = false;
    json_decref(s->daemon);
    s->daemon = result != NULL ? facts_from_msgpack(result) : NULL;
    tell_if_all(s);
}

/* --- the database --------------------------------------------------------------------------- */

static json_t *
int_or_null(const PGresult *res, int row, int column)
{
    return row_is_null(res, row, column) ? json_null() : json_integer(row_int(res, row, column));
}

/* Columns of queues.sql. */
static void
on_queues(void *arg, const PGresult *res, UNUSED const struct err *err)
{
    struct scrape *s = arg;
    json_t *queues = json_array();

    for (int row = 0; res != NULL && row < PQntuples(res); row++)
        json_array_append_new(
            queues,
            json_pack("{s:s, s:o, s:o, s:o, s:o, s:b}", "queue", row_text(res, row, 0), "ready",
                      int_or_null(res, row, 1), "scheduled", int_or_null(res, row, 2), "workers",
                      int_or_null(res, row, 3), "oldest_ms", int_or_null(res, row, 4), "paused_at",
                      !row_is_null(res, row, 5)));
    json_object_set_new(s->next, "queues", queues);
}

static void
on_claimed(void *arg, const PGresult *res, UNUSED const struct err *err)
{
    struct scrape *s = arg;
    static const char *const names[] = {"claimed", "live", "lost"};

    for (int i = 0; res != NULL && PQntuples(res) == 1 && i < (int)LENGTH(names); i++)
        json_object_set_new(s->next, names[i], int_or_null(res, 0, i));
}

static json_t *
from_health(const struct scrape *s, const PGresult *res, int row)
{
    char finding[QUEUE_FINDING];
    struct health h;

    queue_read_health(res, row, &h);
    if (strcmp(h.name, "server_ms") == 0)
        queue_judge_clock((int64_t)h.value, s->asked_real_ms, clock_real_ms(), finding, &h);
    return json_pack("{s:s, s:s, s:s, s:f}", "name", h.name, "subject", h.subject, "level", h.level,
                     "value", h.value);
}

/* The last of the three. */
static void
on_health(void *arg, const PGresult *res, const struct err *err)
{
    struct scrape *s = arg;
    json_t *health = json_array();

    for (int row = 0; res != NULL && row < PQntuples(res); row++)
        json_array_append_new(health, from_health(s, res, row));
    json_object_set_new(s->next, "health", health);
    s->database_asked = false;
    json_decref(s->database);
    s->database = res != NULL ? s->next : NULL;
    s->database_mono_ms = clock_mono_ms();
    if (res == NULL)
        json_decref(s->next);
    s->next = NULL;
    s->d->db_errors += err != NULL;
    tell_if_all(s);
}

static void
ask_database(struct scrape *s)
{
    struct desk *desk = &s->d->desks[DESK_QUICK];
    struct params count, old;

    if (!desk->open || s->database_asked)
        return;
    s->database_asked = true;
    s->asked_real_ms = clock_real_ms();
    s->next = json_pack("{s:i}", "counted_up_to", COUNT_MAX);
    params_init(&count);
    param_int8(&count, COUNT_MAX);
    params_init(&old);
    param_int8(&old, s->d->conf->old_transaction_ms);
    ask_limit(desk->db, DATABASE_MS);
    db_ask(desk->db, &st_queues, &count, on_queues, s);
    db_ask(desk->db, &st_claimed, NULL, on_claimed, s);
    db_ask(desk->db, &st_health, &old, on_health, s);
    db_commit(desk->db);
}

/* --- asking --------------------------------------------------------------------------------- */

static void
look(struct scrape *s)
{
    loop_timer_in(s->d->loop, &s->patience, PATIENCE_MS);
    if (!s->daemon_asked) {
        s->daemon_asked = true;
        ctl_ask(s->d->loop, s->d->conf->socket_path, "stats", NULL, DAEMON_MS, on_daemon, s);
    }
    ask_database(s);
}

static struct scrape *
scrape_of(struct dashboard *d)
{
    static struct scrape the;

    if (the.d == NULL) {
        the.d = d;
        loop_timer_init(&the.patience, on_impatient);
        the.patience.data = &the;
    }
    return &the;
}

static bool
may(struct web_request *r, const struct conf *conf)
{
    if (conf->dashboard_metrics == CONF_METRICS_OFF) {
        web_answer_error(r, 404, "dashboard.metrics is off");
        return false;
    }
    return conf->dashboard_metrics == CONF_METRICS_OPEN || door_come_in(r);
}

void
scrape_metrics(struct web_request *r, void *owner)
{
    struct scrape *s = scrape_of(owner);
    struct asker *asker;

    if (!may(r, s->d->conf))
        return;
    if (s->look_mono_ms > 0 && clock_mono_ms() - s->look_mono_ms < FRESH_MS) {
        web_answer(r, 200, METRICS_TYPE, s->text.data, s->text.len);
        return;
    }
    asker = arena_alloc(web_arena(r), sizeof(*asker));
    *asker = (struct asker){s->askers, r};
    s->askers = asker;
    if (asker->next == NULL)
        look(s);
}
