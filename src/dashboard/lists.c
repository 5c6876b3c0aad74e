/*
 * Batches, queues, schedules, errors and hosts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dashboard/internal.h"
#include "sqltext.h"

#define SHOWN_MAX 200
#define SHOWN 50
#define BATCH_JOBS 1000
#define BATCH_NEWEST 5000 /* jobs whose batches are a page of batches */
#define LATER_MAX 100
#define ERRORS_NEWEST 10000
#define PAYLOAD_CHARS 10000

static const struct statement batches = {"desk_batches", sql_dashboard_batches};
static const struct statement batch = {"desk_batch", sql_dashboard_batch};
static const struct statement batch_retry = {"desk_batch_retry", sql_dashboard_batch_retry};
static const struct statement batch_cancel = {"desk_batch_cancel", sql_dashboard_batch_cancel};
static const struct statement kinds = {"desk_kinds", sql_dashboard_kinds};
static const struct statement queue_act = {"desk_queue_act", sql_dashboard_queue_act};
static const struct statement schedules = {"desk_schedules", sql_dashboard_schedules};
static const struct statement schedule_act = {"desk_schedule_act", sql_dashboard_schedule_act};
static const struct statement errors = {"desk_errors", sql_dashboard_errors};
static const struct statement hosts = {"desk_hosts", sql_dashboard_hosts};

/* An action that is known by name and count; both segments are in the log. */
static void
on_acted(void *arg, const PGresult *res, const struct err *err)
{
    struct web_request *r = arg;
    char body[64];
    int len;

    if (err != NULL) {
        ask_failed(r, err);
        return;
    }
    ask_log_deed(r, door_visit(r)->of_route, row_int(res, 0, 0));
    len = snprintf(body, sizeof(body), "{\"count\":%" PRId64 "}", row_int(res, 0, 0));
    ask_answer_json(r, body, (size_t)len);
}

/* "pause queue mail", for the log; a name is somebody's text, so it is cut. */
static void
note_deed(struct web_request *r, const char *what)
{
    door_visit(r)->of_route =
        arena_printf(web_arena(r), "%s %s '%.100s'", web_segment(r, 1), what, web_segment(r, 0));
}

/* --- batches ------------------------------------------------------------------------------ */

void
lists_batches(struct web_request *r, UNUSED void *owner)
{
    struct params p;
    int64_t before, limit;

    if (!ask_number(r, "before", INT64_MAX, INT64_MAX, &before) ||
        !ask_number(r, "limit", SHOWN_MAX, SHOWN, &limit))
        return;
    params_init(&p);
    param_int8(&p, before);
    param_int4(&p, (int32_t)limit);
    param_int4(&p, BATCH_NEWEST);
    ask_for_json(r, DESK_SLOW, &batches, &p);
}

void
lists_batch(struct web_request *r, UNUSED void *owner)
{
    struct params p;
    struct uuid id;

    if (!ask_uuid(r, web_segment(r, 0), &id))
        return;
    params_init(&p);
    param_uuid(&p, &id);
    param_int4(&p, BATCH_JOBS);
    ask_for_json(r, DESK_QUICK, &batch, &p);
}

void
lists_batch_act(struct web_request *r, UNUSED void *owner)
{
    const char *action = web_segment(r, 1);
    const struct statement *what = strcmp(action, "retry") == 0    ? &batch_retry
                                   : strcmp(action, "cancel") == 0 ? &batch_cancel
                                                                   : NULL;
    struct params p;
    struct uuid id;

    if (what == NULL) {
        ask_refuse(r, 404, "A batch can be retried and cancelled.", NULL);
        return;
    }
    if (!ask_uuid(r, web_segment(r, 0), &id))
        return;
    note_deed(r, "batch");
    params_init(&p);
    param_uuid(&p, &id);
    ask_desk(r, DESK_SLOW, ASK_LONG_MS, what, &p, on_acted);
}

/* --- queues --------------------------------------------------------------------------------- */

static void
ask_kinds(struct web_request *r, const struct err *err)
{
    struct params p;

    if (err != NULL) {
        ask_failed(r, err);
        return;
    }
    params_init(&p);
    param_int8(&p, WATCH_COUNT_MAX);
    param_text(&p, watch_queues_json(door_visit(r)->d->watch));
    ask_for_json(r, DESK_QUICK, &kinds, &p);
}

void
lists_queues(struct web_request *r, UNUSED void *owner)
{
    watch_want(r, ask_kinds);
}

static void
act(struct web_request *r, const struct statement *what)
{
    struct params p;

    params_init(&p);
    param_text(&p, web_segment(r, 1));
    param_text(&p, web_segment(r, 0));
    param_text(&p, door_visit(r)->who);
    ask_desk(r, DESK_QUICK, ASK_LONG_MS, what, &p, on_acted);
}

void
lists_queue_act(struct web_request *r, UNUSED void *owner)
{
    const char *action = web_segment(r, 1);

    if (strcmp(action, "pause") != 0 && strcmp(action, "resume") != 0) {
        ask_refuse(r, 404, "A queue can be paused and resumed.", NULL);
        return;
    }
    note_deed(r, "queue");
    act(r, &queue_act);
}

/* --- schedules ------------------------------------------------------------------------------ */

void
lists_schedules(struct web_request *r, UNUSED void *owner)
{
    struct params p;

    params_init(&p);
    param_int4(&p, PAYLOAD_CHARS);
    param_int4(&p, LATER_MAX);
    ask_for_json(r, DESK_QUICK, &schedules, &p);
}

void
lists_schedule_act(struct web_request *r, UNUSED void *owner)
{
    const char *action = web_segment(r, 1);

    if (strcmp(action, "pause") != 0 && strcmp(action, "resume") != 0 &&
        strcmp(action, "run") != 0) {
        ask_refuse(r, 404, "A schedule can be paused, resumed and run.", NULL);
        return;
    }
    note_deed(r, "schedule");
    act(r, &schedule_act);
}

/* --- errors and hosts ------------------------------------------------------------------------- */

void
lists_errors(struct web_request *r, UNUSED void *owner)
{
    const char *since = web_query(r, "since");
    struct params p;

    params_init(&p);
    param_text(&p, since != NULL && since[0] != '\0' ? since : NULL);
    param_int4(&p, ERRORS_NEWEST);
    ask_for_json(r, DESK_SLOW, &errors, &p);
}

static void
on_hosts(void *arg, const PGresult *res, const struct err *err)
{
    struct web_request *r = arg;
    const struct watch *w = door_visit(r)->d->watch;
    AUTO(buf) struct buf body = {0};

    if (err != NULL) {
        ask_failed(r, err);
        return;
    }
    buf_add_text(&body, "{\"hosts\":");
    buf_add_text(&body, row_text(res, 0, 0));
    buf_add_text(&body, ",\"daemon\":");
    buf_add_text(&body, watch_daemon_json(w));
    buf_add_text(&body, ",\"health\":");
    buf_add_text(&body, watch_health_json(w));
    buf_add_text(&body, "}");
    ask_answer_json(r, body.data, body.len);
}

static void
ask_hosts(struct web_request *r, const struct err *err)
{
    if (err != NULL)
        ask_failed(r, err);
    else
        ask_desk(r, DESK_QUICK, ASK_SHORT_MS, &hosts, NULL, on_hosts);
}

void
lists_hosts(struct web_request *r, UNUSED void *owner)
{
    watch_want(r, ask_hosts);
}
