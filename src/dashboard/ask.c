/*
 * A question to the database, and what becomes of its answer.  All go through ask_desk(): it is
 * also the last to look whether somebody who may ask is asking.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "dashboard/internal.h"
#include "sqltext.h"

static const struct statement limits = {"desk_limits", sql_dashboard_limits};

void
ask_refuse(struct web_request *r, int status, const char *message, const char *hint)
{
    char code[8];
    json_t *body;
    char *text;

    snprintf(code, sizeof(code), "%d", status);
    /* What a browser sent may not be UTF-8, and then it is in no answer. */
    body = json_pack("{s:s, s:s*, s:n, s:s?}", "code", code, "message", message, "details", "hint",
                     hint);
    text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text == NULL)
        web_answer_error(r, status, "refused");
    else
        web_answer(r, status, "application/json", text, strlen(text));
    free(text);
}

void
ask_answer_json(struct web_request *r, const char *json, size_t len)
{
    web_answer(r, 200, "application/json", json, len);
}

void
ask_failed(struct web_request *r, const struct err *err)
{
    struct visit *v = door_visit(r);

    v->d->db_errors++;
    if (strcmp(err->sqlstate, "57014") == 0)
        ask_refuse(r, 503, "The database did not answer in time.",
                   "Narrow your search: by batch, user, job id or a short span of time.");
    else if (strncmp(err->sqlstate, "22", 2) == 0)
        ask_refuse(r, 400, err->text, NULL);
    else if (strcmp(err->sqlstate, "PT404") == 0 || strcmp(err->sqlstate, "P0002") == 0)
        ask_refuse(r, 404, "There is no such thing.", NULL);
    else if (err->sqlstate[0] == '\0')
        ask_refuse(r, 503, err->text, "The dashboard connects again by itself.");
    else
        ask_refuse(r, 500, err->text, NULL);
}

void
ask_limit(struct db *db, int64_t timeout_ms)
{
    struct params p;
    char ms[24];

    snprintf(ms, sizeof(ms), "%" PRId64, timeout_ms);
    params_init(&p);
    param_text(&p, ms);
    db_ask(db, &limits, &p, NULL, NULL);
}

void
ask_desk(struct web_request *r, enum desk_name name, int64_t timeout_ms,
         const struct statement *what, struct params *params, db_answer *answer)
{
    struct visit *v = door_visit(r);
    struct desk *desk = &v->d->desks[name];

    if (!v->is_in || !desk->open) {
        params_release(params);
        if (v->is_in)
            ask_refuse(r, 503, "There is no connection to the database.", desk->why_not);
        else
            ask_refuse(r, 401, "Log in first.", NULL);
        return;
    }
    ask_limit(desk->db, timeout_ms);
    db_ask(desk->db, what, params, answer, r);
    db_commit(desk->db);
}

static void
on_json(void *arg, const PGresult *res, const struct err *err)
{
    struct web_request *r = arg;

    if (err != NULL)
        ask_failed(r, err);
    else if (PQntuples(res) == 0 || row_is_null(res, 0, 0))
        ask_refuse(r, 404, "There is no such thing.", NULL);
    else
        ask_answer_json(r, row_text(res, 0, 0), row_length(res, 0, 0));
}

void
ask_for_json(struct web_request *r, enum desk_name desk, const struct statement *what,
             struct params *params)
{
    ask_desk(r, desk, ASK_SHORT_MS, what, params, on_json);
}

void
ask_log_deed(struct web_request *r, const char *what, int64_t count)
{
    log_info("%s: %s: %" PRId64 " done", door_visit(r)->who, what, count);
}

bool
ask_number(struct web_request *r, const char *name, int64_t max, int64_t fallback, int64_t *ret)
{
    const char *text = web_query(r, name);

    *ret = fallback;
    if (text == NULL || text[0] == '\0')
        return true;
    if (text_to_int(text, ret) && *ret >= 1) {
        *ret = *ret > max ? max : *ret;
        return true;
    }
    ask_refuse(r, 400, arena_printf(web_arena(r), "%s must be a number of at least 1", name), NULL);
    return false;
}

bool
ask_uuid(struct web_request *r, const char *text, struct uuid *ret)
{
    if (uuid_parse(text, ret))
        return true;
    ask_refuse(r, 400, "A batch has a UUID.", NULL);
    return false;
}
