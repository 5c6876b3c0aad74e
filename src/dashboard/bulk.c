/*
 * The same for many jobs: first how many there are, then by steps of a thousand, so that no
 * transaction is long.  The page asks for the next step; nothing is kept here between two.
 */
#include <inttypes.h>
#include <stdio.h>

#include "dashboard/bulk.h"
#include "dashboard/internal.h"
#include "sqltext.h"

#define COUNTED_MAX 10000
#define STEP 1000
#define MORE_ALLOWED(expected) ((expected) / 10 + 10) /* jobs come and end while one reads */

static const struct statement bulk = {"desk_bulk", sql_dashboard_bulk};

/* Lives in the request's arena. */
struct bulk {
    struct web_request *r;
    struct bulk_wish wish;
    int64_t matching; /* of the step that is done just now */
    size_t n_ids;
    int64_t last_id;
};

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
    snprintf(deed, sizeof(deed), "%s of %zu jobs that match a search", b->wish.action, b->n_ids);
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
    ask_desk(b->r, DESK_SLOW, ASK_LONG_MS, jobs_statement(b->wish.action), &p, on_step);
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
    if (b->wish.preview)
        answer_count(b);
    else if (b->wish.expected >= 0 &&
             b->matching > b->wish.expected + MORE_ALLOWED(b->wish.expected))
        ask_refuse(b->r, 409, "Many more jobs match by now than were expected.",
                   "Look at how many there are, then decide again.");
    else
        do_step(b, res);
}

static void
find(struct bulk *b)
{
    struct params p;

    params_init(&p);
    filter_params(&b->wish.filter, &p);
    param_text(&p, b->wish.action);
    param_int8(&p, b->wish.after);
    param_int4(&p, COUNTED_MAX);
    param_int4(&p, b->wish.preview ? 0 : STEP);
    ask_desk(b->r, DESK_SLOW, ASK_SHORT_MS, &bulk, &p, on_found);
}

void
bulk_act(struct web_request *r, UNUSED void *owner)
{
    struct bulk *b = arena_alloc(web_arena(r), sizeof(*b));
    size_t len;
    const char *text = web_body(r, &len);
    struct err err;

    b->r = r;
    door_visit(r)->of_route = b;
    if (bulk_read(text, len, web_arena(r), &b->wish, &err))
        find(b);
    else
        ask_refuse(r, 400, err.text, NULL);
}
