/*
 * Our own paths: the status of a batch, jobs in, a batch cancelled.
 */
#include <string.h>

#include "base/text.h"
#include "base/uuid.h"
#include "gateway/state.h"
#include "sqltext.h"

#define JOB_LIMIT_MAX 1000

static const struct statement batch_status = {"user_batch_status", sql_gateway_batch_status};
static const struct statement enqueue = {"user_enqueue", sql_gateway_enqueue};
static const struct statement cancel_batch = {"user_cancel_batch", sql_gateway_cancel_batch};

static const char json[] = "application/json; charset=utf-8";

bool
read_batch_id(struct web_request *r, const char *text, struct uuid *ret)
{
    if (text != NULL && uuid_parse(text, ret))
        return true;
    answer_refused(r, 400, "22P02",
                   text == NULL ? "batch_id is missing" : "batch_id is not a UUID");
    return false;
}

bool
read_job_limit(struct web_request *r, int fallback, int *ret)
{
    const char *text = web_query(r, "job_limit");
    int64_t limit = fallback;

    if (text != NULL && (!text_to_int(text, &limit) || limit < 0 || limit > JOB_LIMIT_MAX)) {
        answer_refused(r, 400, "22023", "job_limit must be 0 to %d", JOB_LIMIT_MAX);
        return false;
    }
    *ret = (int)limit;
    return true;
}

/* The first column as it is; arg points to the status. */
static void
answer_first(struct web_request *r, void *arg, const PGresult *res)
{
    const int *status = arg;

    web_answer(r, *status, json, row_text(res, 0, 0), strlen(row_text(res, 0, 0)));
}

static void
answer_enqueued(struct web_request *r, void *arg, const PGresult *res)
{
    static int created = 201;

    (void)arg;
    if (row_is_null(res, 0, 0))
        answer_refused(r, 400, "22023", "%s", row_text(res, 0, 1));
    else
        answer_first(r, &created, res);
}

void
api_batch_status(struct web_request *r, void *owner)
{
    static int fine = 200;
    struct gateway *g = owner;
    struct user user;
    struct uuid batch;
    struct params p;
    int limit;

    if (!auth_user(g, r, &user) || !read_batch_id(r, web_query(r, "batch_id"), &batch) ||
        !read_job_limit(r, 100, &limit))
        return;
    params_init(&p);
    param_uuid(&p, &batch);
    param_int4(&p, limit);
    ask(g, r, &user, &batch_status, &p, ASK_READS, answer_first, &fine);
}

void
api_jobs(struct web_request *r, void *owner)
{
    struct gateway *g = owner;
    struct user user;
    struct params p;
    size_t len;
    const char *body = web_body(r, &len);

    if (!auth_user(g, r, &user))
        return;
    if (strlen(body) != len) {
        answer_refused(r, 400, "22P02", "the body is not JSON");
        return;
    }
    params_init(&p);
    param_text(&p, body);
    ask(g, r, &user, &enqueue, &p, ASK_WRITES, answer_enqueued, NULL);
}

void
api_cancel(struct web_request *r, void *owner)
{
    static int fine = 200;
    struct gateway *g = owner;
    struct user user;
    struct uuid batch;
    struct params p;

    if (!auth_user(g, r, &user) || !read_batch_id(r, web_segment(r, 0), &batch))
        return;
    params_init(&p);
    param_uuid(&p, &batch);
    ask(g, r, &user, &cancel_batch, &p, ASK_WRITES, answer_first, &fine);
}
