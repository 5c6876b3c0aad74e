/*
 * The overview: one look a second for all who watch, and none when nobody does.
 *
 * A look asks the database, the daemon of this host, and now and then for the health of the
 * server; when all have answered it is told to everybody at once.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "dashboard/daemon_json.h"
#include "dashboard/internal.h"
#include "dashboard/trend.h"
#include "ipc/ctl_ask.h"
#include "sqltext.h"

#define LOOK_EVERY_MS 1000
#define DAEMON_TIMEOUT_MS 900
#define HEALTH_EVERY_MS 10000

static const struct statement watch_all = {"desk_watch", sql_dashboard_watch};
static const struct statement health = {"desk_health", sql_dashboard_health};

struct listener {
    struct listener *next;
    struct watch *watch;
    struct web_stream *stream;
    char *opens; /* cookie text: while it opens the dashboard, the stream goes on */
};

/* Lives in the arena of its request. */
struct want {
    struct want *next;
    struct web_request *r;
    watch_ready *ready;
};

struct watch {
    struct dashboard *d;
    ev_timer tick;
    struct listener *listeners;
    struct want *wants;

    int pending;        /* answers of the look under way */
    struct err failed;  /* of it, by the database */
    int64_t at_mono_ms; /* when the last was complete; 0: never */
    int64_t health_mono_ms;
    struct buf text; /* the whole overview, in one line */
    struct buf queues, daemon, health;
    struct trend trend;
    struct trend_point point;
    struct buf all_hosts; /* the columns of the database as members of an object */
};

static void look(struct watch *w);

/* --- telling ------------------------------------------------------------------------------ */

static void
free_listener(struct listener *l)
{
    free(l->opens);
    free(l);
}

static void
on_gone(void *arg)
{
    struct listener *l = arg;

    for (struct listener **at = &l->watch->listeners; *at != NULL; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
    free_listener(l);
}

/*
 * A session that has ended ends its stream.  So does one that is to be prolonged: the browser
 * comes again by itself, and is given the new cookie then.
 */
static bool
may_go_on(struct listener *l)
{
    struct dashboard *d = l->watch->d;
    int64_t now_s = clock_real_ms() / 1000;
    const char *secret;
    struct pass pass;

    return login_session(&d->login, l->opens, now_s, &pass, &secret) &&
           !pass_prolong(&pass, now_s, d->conf->dashboard_session_ms / 1000);
}

static void
end_stream(struct listener **at)
{
    struct listener *l = *at;

    *at = l->next;
    web_stream_end(l->stream);
    free_listener(l);
}

static void
tell_listeners(struct watch *w, const char *event, const char *data)
{
    AUTO(buf) struct buf line = {0};
    struct listener **at = &w->listeners;

    buf_printf(&line, "event: %s\ndata: %s\n\n", event, data);
    while (*at != NULL) {
        if (!may_go_on(*at)) {
            end_stream(at);
            continue;
        }
        web_stream_write((*at)->stream, line.data, line.len);
        at = &(*at)->next;
    }
}

static void
ping(struct watch *w)
{
    static const char text[] = ": ping\n\n";

    for (struct listener *l = w->listeners; l != NULL; l = l->next)
        web_stream_write(l->stream, text, sizeof(text) - 1);
}

static void
tell_wants(struct watch *w, const struct err *err)
{
    struct want *want, *all = w->wants;

    w->wants = NULL;
    while ((want = all) != NULL) {
        all = want->next;
        want->ready(want->r, err);
    }
}

/* --- a look ------------------------------------------------------------------------------- */

/* json_agg() begins lines, and a line end ends an event. */
static void
one_line(struct buf *b)
{
    for (size_t i = 0; i < b->len; i++) {
        if (b->data[i] == '\n')
            b->data[i] = ' ';
    }
}

static void
or_null(struct buf *sink, const struct buf *json)
{
    buf_add_text(sink, json->len > 0 ? json->data : "null");
}

static void
compose(struct watch *w)
{
    buf_clear(&w->text);
    buf_add_text(&w->text, "{");
    buf_add(&w->text, w->all_hosts.data, w->all_hosts.len);
    buf_add_text(&w->text, ",\"rates\":");
    trend_rates_json(&w->trend, &w->text);
    buf_add_text(&w->text, ",\"history\":");
    trend_history_json(&w->trend, &w->text);
    buf_add_text(&w->text, ",\"health\":");
    or_null(&w->text, &w->health);
    buf_add_text(&w->text, ",\"daemon\":");
    or_null(&w->text, &w->daemon);
    buf_add_text(&w->text, "}");
    one_line(&w->text);
}

static void
complete(struct watch *w)
{
    if (w->failed.class != ERR_NONE) {
        tell_listeners(w, "trouble", "{\"message\":\"The database does not answer.\"}");
        tell_wants(w, &w->failed);
        return;
    }
    trend_add(&w->trend, &w->point);
    compose(w);
    w->at_mono_ms = clock_mono_ms();
    tell_listeners(w, "overview", buf_text(&w->text));
    tell_wants(w, NULL);
}

static void
answered(struct watch *w)
{
    if (--w->pending == 0)
        complete(w);
}

static void
on_watched(void *arg, const PGresult *res, const struct err *err)
{
    static const char *const members[] = {"now", "queues", "hosts", "running", "latency"};
    struct watch *w = arg;

    if (err != NULL) {
        w->failed = *err;
        w->d->db_errors++;
        answered(w);
        return;
    }
    buf_clear(&w->all_hosts);
    for (int i = 0; i < (int)LENGTH(members); i++)
        buf_printf(&w->all_hosts, "%s\"%s\":%s", i > 0 ? "," : "", members[i], row_text(res, 0, i));
    buf_clear(&w->queues);
    buf_add_text(&w->queues, row_text(res, 0, 1));
    w->point = (struct trend_point){.at_ms = row_int(res, 0, 5),
                                    .came = row_int(res, 0, 6),
                                    .ended = row_int(res, 0, 7),
                                    .failed_per_s = row_float(res, 0, 8),
                                    .waiting = row_int(res, 0, 9)};
    answered(w);
}

static void
on_health(void *arg, const PGresult *res, const struct err *err)
{
    struct watch *w = arg;

    if (err == NULL) {
        buf_clear(&w->health);
        buf_add_text(&w->health, row_text(res, 0, 0));
    } else {
        log_debug("no health: %s", err->text);
    }
    answered(w);
}

static void
on_daemon(void *arg, const msgpack_object *result, UNUSED const struct err *err)
{
    struct watch *w = arg;

    buf_clear(&w->daemon);
    if (result != NULL)
        daemon_json(result, &w->daemon);
    answered(w);
}

static void
ask_database(struct watch *w, const struct statement *what, struct params *params,
             db_answer *answer)
{
    struct db *db = w->d->desks[DESK_QUICK].db;

    ask_limit(db, ASK_SHORT_MS);
    db_ask(db, what, params, answer, w);
    db_commit(db);
    w->pending++;
}

static void
look(struct watch *w)
{
    struct dashboard *d = w->d;
    struct params p;

    err_clear(&w->failed);
    w->pending = 1; /* ours, so that nothing is complete before all is asked */
    params_init(&p);
    param_int8(&p, WATCH_COUNT_MAX);
    param_int4(&p, WATCH_RUNNING_MAX);
    ask_database(w, &watch_all, &p, on_watched);
    if (w->health_mono_ms == 0 || clock_mono_ms() - w->health_mono_ms >= HEALTH_EVERY_MS) {
        w->health_mono_ms = clock_mono_ms();
        params_init(&p);
        param_int8(&p, d->conf->old_transaction_ms);
        ask_database(w, &health, &p, on_health);
    }
    ctl_ask(d->loop, d->conf->socket_path, "stats", NULL, DAEMON_TIMEOUT_MS, on_daemon, w);
    w->pending++;
    answered(w);
}

/* --- whoever wants to see it ---------------------------------------------------------------- */

static void
on_tick(struct ev_loop *loop, ev_timer *timer, UNUSED int events)
{
    struct watch *w = timer->data;

    if (w->listeners == NULL)
        return;
    loop_timer_in(loop, timer, LOOK_EVERY_MS);
    if (w->pending > 0 || !w->d->desks[DESK_QUICK].open)
        ping(w);
    else
        look(w);
}

void
watch_want(struct web_request *r, watch_ready *ready)
{
    struct dashboard *d = door_visit(r)->d;
    struct watch *w = d->watch;
    struct want *want;
    struct err err;

    if (w->at_mono_ms != 0 && clock_mono_ms() - w->at_mono_ms < LOOK_EVERY_MS) {
        ready(r, NULL);
        return;
    }
    if (!d->desks[DESK_QUICK].open) {
        err_set(&err, ERR_RETRY, "There is no connection to the database: %.300s",
                d->desks[DESK_QUICK].why_not);
        ready(r, &err);
        return;
    }
    want = arena_alloc(web_arena(r), sizeof(*want));
    *want = (struct want){.next = w->wants, .r = r, .ready = ready};
    w->wants = want;
    if (w->pending == 0)
        look(w);
}

static void
on_overview(struct web_request *r, const struct err *err)
{
    const struct watch *w = door_visit(r)->d->watch;

    if (err != NULL)
        ask_failed(r, err);
    else
        ask_answer_json(r, w->text.data, w->text.len);
}

void
watch_overview(struct web_request *r, UNUSED void *owner)
{
    watch_want(r, on_overview);
}

void
watch_live(struct web_request *r, UNUSED void *owner)
{
    struct visit *v = door_visit(r);
    struct watch *w = v->d->watch;
    struct listener *l = xmalloc(sizeof(*l));

    *l = (struct listener){.next = w->listeners, .watch = w, .opens = xstrdup(v->opens)};
    /* nginx would gather it. */
    web_add_header(r, "X-Accel-Buffering", "no");
    l->stream = web_stream(r, "text/event-stream", on_gone, l);
    w->listeners = l;
    if (!loop_timer_runs(&w->tick))
        loop_timer_in(w->d->loop, &w->tick, 0);
}

const char *
watch_queues_json(const struct watch *w)
{
    return buf_text(&w->queues);
}

const char *
watch_daemon_json(const struct watch *w)
{
    return w->daemon.len > 0 ? w->daemon.data : "null";
}

const char *
watch_health_json(const struct watch *w)
{
    return w->health.len > 0 ? w->health.data : "null";
}

struct watch *
watch_new(struct dashboard *d)
{
    struct watch *w = xmalloc(sizeof(*w));

    *w = (struct watch){.d = d};
    loop_timer_init(&w->tick, on_tick);
    w->tick.data = w;
    return w;
}

void
watch_free(struct watch *w)
{
    ev_timer_stop(w->d->loop, &w->tick);
    buf_release(&w->text);
    buf_release(&w->queues);
    buf_release(&w->daemon);
    buf_release(&w->health);
    buf_release(&w->all_hosts);
    free(w);
}
