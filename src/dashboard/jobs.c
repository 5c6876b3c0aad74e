/*
 * Jobs: search, one of them, and what is done to it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dashboard/filter.h"
#include "dashboard/internal.h"
#include "sqltext.h"

#define SHOWN_MAX 200
#define SHOWN 50
#define LOOKED_AT_MAX 200000 /* by one search; the next goes on below them */
#define TEXT_CHARS_MAX (256 * 1024)

static const struct statement search = {"desk_search", sql_dashboard_search};
static const struct statement job = {"desk_job", sql_dashboard_job};
static const struct statement retry = {"desk_retry", sql_dashboard_retry};
static const struct statement cancel = {"desk_cancel", sql_dashboard_cancel};
static const struct statement delete = {"desk_delete", sql_dashboard_delete};

static const char *
from_query(void *from, const char *name)
{
    return web_query(from, name);
}

void
jobs_search(struct web_request *r, UNUSED void *owner)
{
    struct filter filter;
    struct params p;
    struct err err;
    int64_t before, limit;

    if (!filter_read(&filter, from_query, r, &err)) {
        ask_refuse(r, 400, err.text, NULL);
        return;
    }
    if (!ask_number(r, "before", INT64_MAX, INT64_MAX, &before) ||
        !ask_number(r, "limit", SHOWN_MAX, SHOWN, &limit))
        return;
    params_init(&p);
    filter_params(&filter, &p);
    param_int8(&p, before);
    param_int4(&p, (int32_t)limit);
    param_int4(&p, LOOKED_AT_MAX);
    ask_for_json(r, DESK_SLOW, &search, &p);
}

/* The id in the path; false: it was refused. */
static bool
read_id(struct web_request *r, int64_t *ret)
{
    if (text_to_int(web_segment(r, 0), ret) && *ret > 0)
        return true;
    ask_refuse(r, 404, "A job has a number.", NULL);
    return false;
}

/* of_route has the job, as an object without its last brace. */
static void
on_why(void *arg, const PGresult *res, const struct err *err)
{
    struct web_request *r = arg;
    AUTO(buf) struct buf body = {0};

    if (err != NULL) {
        ask_failed(r, err);
        return;
    }
    buf_add_text(&body, door_visit(r)->of_route);
    buf_add_text(&body, ",");
    why_json(res, &body);
    buf_add_text(&body, "}");
    ask_answer_json(r, body.data, body.len);
}

static void
on_job(void *arg, const PGresult *res, const struct err *err)
{
    struct web_request *r = arg;
    int64_t id;

    if (err != NULL) {
        ask_failed(r, err);
    } else if (PQntuples(res) == 0 || !text_to_int(web_segment(r, 0), &id)) {
        ask_refuse(r, 404, "There is no such job.", NULL);
    } else {
        door_visit(r)->of_route =
            arena_memdup(web_arena(r), row_text(res, 0, 0), row_length(res, 0, 0) - 1);
        why_ask_job(r, id, on_why);
    }
}

void
jobs_show(struct web_request *r, UNUSED void *owner)
{
    struct params p;
    int64_t id;

    if (!read_id(r, &id))
        return;
    params_init(&p);
    param_int8(&p, id);
    param_int4(&p, TEXT_CHARS_MAX);
    ask_desk(r, DESK_QUICK, ASK_SHORT_MS, &job, &p, on_job);
}

/* --- doing ------------------------------------------------------------------------------ */

const struct statement *
jobs_statement(const char *action)
{
    return strcmp(action, "retry") == 0    ? &retry
           : strcmp(action, "cancel") == 0 ? &cancel
           : strcmp(action, "delete") == 0 ? &delete
                                           : NULL;
}

/* What the statements say of a job. */
static const struct {
    const char *what, *message;
} messages[] = {
    {"queued", "It is queued again."},
    {"not_ended", "It has not ended yet."},
    {"succeeded", "It has succeeded: that is not done again."},
    {"duplicate", "Another unfinished job has its unique key."},
    {"cancelled", "It is cancelled."},
    {"asked", "Its worker is asked to stop it."},
    {"ended", "It has ended already."},
    {"deleted", "It is deleted."},
    {"running", "It runs: cancel it first."},
    {"unknown", "There is no such job."},
};

static const char *
message_of(const char *what)
{
    for (size_t i = 0; i < LENGTH(messages); i++) {
        if (strcmp(messages[i].what, what) == 0)
            return messages[i].message;
    }
    return "Nothing was done.";
}

static void
on_acted(void *arg, const PGresult *res, const struct err *err)
{
    struct web_request *r = arg;
    char body[160], deed[96];
    int64_t done;
    int len;

    if (err != NULL) {
        ask_failed(r, err);
        return;
    }
    done = row_int(res, 0, 0);
    snprintf(deed, sizeof(deed), "%.16s job %.24s", web_segment(r, 1), web_segment(r, 0));
    ask_log_deed(r, deed, done);
    len = snprintf(body, sizeof(body), "{\"count\":%" PRId64 ",\"message\":\"%s\"}", done,
                   message_of(row_text(res, 0, 1)));
    ask_answer_json(r, body, (size_t)len);
}

void
jobs_act(struct web_request *r, UNUSED void *owner)
{
    const struct statement *statement = jobs_statement(web_segment(r, 1));
    struct params p;
    int64_t id;

    if (!read_id(r, &id))
        return;
    if (statement == NULL) {
        ask_refuse(r, 404, "A job can be retried, cancelled and deleted.", NULL);
        return;
    }
    params_init(&p);
    param_int8s(&p, &id, 1);
    ask_desk(r, DESK_QUICK, ASK_LONG_MS, statement, &p, on_acted);
}
