/*
 * A request as one transaction of its user.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/errors.h"
#include "gateway/state.h"

#define SAME_AGAIN_MS 10000

struct asked {
    struct gateway *g;
    struct web_request *r;
    struct user user;
    bool writes;
    ask_answered *answered;
    void *arg;
};

/* For the operator; what repeats is said now and then. */
static void
complain(struct gateway *g, const char *what, const char *sqlstate, const char *text)
{
    char line[sizeof(g->complained)];

    snprintf(line, sizeof(line), "%s %s", sqlstate, text);
    if (strcmp(line, g->complained) == 0 && clock_mono_ms() < g->complain_mono_ms)
        return;
    memcpy(g->complained, line, sizeof(line));
    g->complain_mono_ms = clock_mono_ms() + SAME_AGAIN_MS;
    log_warn("%s: %s (%s)", what, text, sqlstate);
}

static struct trouble
lost(bool writes, const struct err *err)
{
    return (struct trouble){
        .status = 503,
        .code = "08006",
        .message = err->class == ERR_UNCERTAIN && writes
                       ? "the connection to the database was lost: this may have happened or not"
                       : "the database is not available",
        .hint = err->class == ERR_UNCERTAIN && writes ? "look before you send it again" : NULL};
}

static struct trouble
hidden(struct gateway *g, int status, const char *sqlstate, const struct err *err)
{
    complain(g, "the database refuses a user's request", sqlstate, err->text);
    return (struct trouble){.status = status,
                            .code = sqlstate,
                            .message = status == 503 ? "the database is not available"
                                                     : "the request failed in the database"};
}

struct trouble
trouble_of(struct gateway *g, const struct user *user, bool writes, const struct err *err,
           const struct db_failure *failure)
{
    struct http_error is;
    const char *sqlstate =
        failure != NULL ? PQresultErrorField(failure->res, PG_DIAG_SQLSTATE) : NULL;

    if (sqlstate == NULL)
        return lost(writes, err);
    if (failure->what != NULL && pool_is_acting(failure->what)) {
        complain(g, "cannot become the user's role (see gateway.roles)", sqlstate, err->text);
        return (struct trouble){
            .status = 500, .code = sqlstate, .message = "the gateway is not set up for this role"};
    }
    is = http_error_of(sqlstate, strcmp(user->role, "anon") == 0, writes);
    if (is.hidden)
        return hidden(g, is.status, sqlstate, err);
    return (struct trouble){.status = is.status,
                            .code = sqlstate,
                            .message = PQresultErrorField(failure->res, PG_DIAG_MESSAGE_PRIMARY),
                            .details = PQresultErrorField(failure->res, PG_DIAG_MESSAGE_DETAIL),
                            .hint = PQresultErrorField(failure->res, PG_DIAG_MESSAGE_HINT)};
}

static void
on_answer(void *arg, const PGresult *res, const struct err *err, const struct db_failure *failure)
{
    struct asked *a = arg;
    struct trouble trouble;

    a->g->asked--;
    if (res != NULL) {
        a->answered(a->r, a->arg, res);
        return;
    }
    trouble = trouble_of(a->g, &a->user, a->writes, err, failure);
    answer_trouble(a->r, &trouble);
}

static const char *
method_name(const struct web_request *r)
{
    return web_method(r) == WEB_POST ? "POST" : web_is_head(r) ? "HEAD" : "GET";
}

void
ask(struct gateway *g, struct web_request *r, const struct user *user, const struct statement *what,
    struct params *params, enum access access, ask_answered *answered, void *arg)
{
    struct asked *a = arena_alloc(web_arena(r), sizeof(*a));
    const struct act act = {.role = user->role,
                            .claims = user->claims,
                            .method = method_name(r),
                            .path = web_path(r),
                            .writes = access == ASK_WRITES};

    if (g->asked >= g->conf->gateway_requests_max) {
        params_release(params);
        answer_refused(r, 503, "53300", "too many requests are under way");
        return;
    }
    *a = (struct asked){g, r, *user, access == ASK_WRITES, answered, arg};
    if (!pool_ask(g->pool, &act, what, params, on_answer, a)) {
        answer_refused(r, 503, "08006", "the database is not available");
        return;
    }
    g->asked++;
}
