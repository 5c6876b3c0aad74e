/*
 * The same for many jobs: first how many there are, then by steps of a thousand, so that no
 * transaction is long.  The page asks for the next step; nothing is kept here between two.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard/filter.h"
#include "dashboard/internal.h"
#include "sqltext.h"

#define COUNTED_MAX 10000
#define STEP 1000
#define MORE_ALLOWED(expected) ((expected) / 10 + 10) /* jobs come and end while one reads */

static const struct statement bulk = {"dashboard_bulk", sql_dashboard_bulk};

/* Lives in the request's arena. */
struct bulk {
    struct web_request *r;
    char action[8];
    bool preview;
    int64_t expected; /* -1: any */
    int64_t after;
    int64_t matching; /* of the step that is done just now */
    size_t n_ids;
    int64_t last_id;
};

static const char *
from_json(void *from, const char *name)
{
    return json_string_value(json_object_get(from, name));
}

/* A filter that is misspelt would be none: then all jobs were meant. */
static bool
check_names(json_t *filter, struct err *err)
{
    json_t *id = json_object_get(filter, "id"), *value;
    const char *name;

    if (json_is_integer(id))
        json_object_set_new(filter, "id",
                            json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(id)));
    json_object_foreach(filter, name, value)
    {
        if (!filter_knows(name))
            return err_set(err, ERR_PERMANENT, "filter has no '%.40s'", name);
        if (!json_is_string(value))
            return err_set(err, ERR_PERMANENT, "%s must be a text", name);
    }
    return true;
}

/* A number that is left out or null is fallback. */
static bool
get_number(const json_t *body, const char *name, int64_t fallback, int64_t *ret, struct err *err)
{
    const json_t *value = json_object_get(body, name);

    *ret = fallback;
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return err_set(err, ERR_PERMANENT, "%s must be a number", name);
    *ret = json_integer_value(value);
    return true;
}

static bool
read_bulk(json_t *body, struct bulk *b, struct filter *filter, struct err *err)
{
    const char *action = json_string_value(json_object_get(body, "action"));
    json_t *given = json_object_get(body, "filter"), *preview = json_object_get(body, "preview");

    if (action == NULL || jobs_statement(action) == NULL)
        return err_set(err, ERR_PERMANENT, "action must be retry, cancel or delete");
    snprintf(b->action, sizeof(b->action), "%s", action);
    if (!json_is_object(given) || !json_is_boolean(preview))
        return err_set(err, ERR_PERMANENT, "filter must be an object, preview true or false");
    b->preview = json_is_true(preview);
    return get_number(body, "expected", -1, &b->expected, err) &&
           get_number(body, "after", 0, &b->after, err) && check_names(given, err) &&
           filter_read(filter, from_json, given, err);
}

static void
answer_done(struct bulk *b, int64_t done)
{
    int64_t left = b->matching - (int64_t)b->n_ids;
    char body[128];
    int len = snprintf(body, sizeof(body),
                       "{\"done\":%" PRId64 ",\"left\":%" PRId64 ",\"after\":%" PRId64 "}", done,
                       left > 0 ? left : 0, b->last_id);

    ask_answer_json(b->r, body, (size_t)len);
}

static struct bulk *
bulk_of(struct web_request *r)
{
    return door_visit(r)->of_route;
}

static void
on_step(void *arg, const PGresult *res, const struct err *err)
{
    struct bulk *b = bulk_of(arg);
    char deed[64];

    if (err != NULL) {
        ask_failed(b->r, err);
        return;
    }
    snprintf(deed, sizeof(deed), "%s of %zu jobs that match a search", b->action, b->n_ids);
    ask_log_deed(b->r, deed, row_int(res, 0, 0));
    answer_done(b, row_int(res, 0, 0));
}

static void
do_step(struct bulk *b, const PGresult *res)
{
    struct params p;
    int64_t *ids;

    b->n_ids = row_int8s(res, 0, 1, web_arena(b->r), &ids);
    if (b->n_ids == 0) {
        answer_done(b, 0);
        return;
    }
    b->last_id = ids[b->n_ids - 1];
    params_init(&p);
    param_int8s(&p, ids, b->n_ids);
    ask_desk(b->r, DESK_SLOW, ASK_LONG_MS, jobs_statement(b->action), &p, on_step);
}

static void
answer_count(struct bulk *b)
{
    bool exact = b->matching <= COUNTED_MAX;
    char body[64];
    int len = snprintf(body, sizeof(body), "{\"count\":%" PRId64 ",\"exact\":%s}",
                       exact ? b->matching : COUNTED_MAX, exact ? "true" : "false");

    ask_answer_json(b->r, body, (size_t)len);
}

static void
on_found(void *arg, const PGresult *res, const struct err *err)
{
    struct bulk *b = bulk_of(arg);

    if (err != NULL) {
        ask_failed(b->r, err);
        return;
    }
    b->matching = row_int(res, 0, 0);
    if (b->preview)
        answer_count(b);
    else if (b->expected >= 0 && b->matching > b->expected + MORE_ALLOWED(b->expected))
        ask_refuse(b->r, 409, "Many more jobs match by now than were expected.",
                   "Look at how many there are, then decide again.");
    else
        do_step(b, res);
}

static void
find(struct bulk *b, const struct filter *filter)
{
    struct params p;

    params_init(&p);
    filter_params(filter, &p);
    param_text(&p, b->action);
    param_int8(&p, b->after);
    param_int4(&p, COUNTED_MAX);
    param_int4(&p, b->preview ? 0 : STEP);
    ask_desk(b->r, DESK_SLOW, ASK_SHORT_MS, &bulk, &p, on_found);
}

void
bulk_act(struct web_request *r, UNUSED void *owner)
{
    struct bulk *b = arena_alloc(web_arena(r), sizeof(*b));
    size_t len;
    const char *text = web_body(r, &len);
    json_t *body = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    struct filter filter;
    struct err err;

    b->r = r;
    door_visit(r)->of_route = b;
    if (!json_is_object(body))
        ask_refuse(r, 400, "A JSON object is expected.", NULL);
    else if (!read_bulk(body, b, &filter, &err))
        ask_refuse(r, 400, err.text, NULL);
    else
        find(b, &filter);
    json_decref(body);
}
