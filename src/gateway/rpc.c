/*
 * /rest/v1/rpc/{}: what supabase.rpc() calls.  Arguments come by name, in a JSON body or in
 * the query; the statement takes them apart and says whether they fit.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/state.h"
#include "sqltext.h"

static const struct function {
    const char *name, *arguments;
    enum access access;
    struct statement call;
} functions[] = {
    /* clang-format off */
    {"batch_status", "batch_id, job_limit",      ASK_READS,  {"user_rpc_batch_status", sql_gateway_rpc_batch_status}},
    {"enqueue_jobs", "batch_id, kind, payloads", ASK_WRITES, {"user_rpc_enqueue_jobs", sql_gateway_rpc_enqueue_jobs}},
    {"cancel_batch", "batch_id",                 ASK_WRITES, {"user_rpc_cancel_batch", sql_gateway_rpc_cancel_batch}},
    /* clang-format on */
};

/* A call under way. */
struct call {
    const struct function *function;
    const char *type; /* of the answer */
};

static const struct function *
find_function(const char *name)
{
    for (size_t i = 0; i < LENGTH(functions); i++) {
        if (strcmp(functions[i].name, name) == 0)
            return &functions[i];
    }
    return NULL;
}

/* --- there is no such function ----------------------------------------------------------- */

static void
no_function(struct web_request *r, const char *name)
{
    char shown[100];

    text_printable(shown, sizeof(shown), name, strlen(name));
    answer_refused(r, 404, "PGRST202", "Could not find the function public.%s in the schema cache",
                   shown);
}

static void
no_such_arguments(struct web_request *r, const struct function *f, const char *given)
{
    struct arena *a = web_arena(r);
    const char *with =
        given[0] != '\0' ? arena_printf(a, "(%.300s)", given) : " without parameters";

    answer_trouble(
        r, &(struct trouble){
               .status = 404,
               .code = "PGRST202",
               .message = arena_printf(
                   a, "Could not find the function public.%s%s in the schema cache", f->name, with),
               .hint = arena_printf(a, "Perhaps you meant to call the function public.%s(%s)",
                                    f->name, f->arguments)});
}

/* --- arguments ----------------------------------------------------------------------------- */

struct query {
    json_t *arguments;
    bool broken;
};

static void
take_parameter(void *arg, const char *name, const char *value)
{
    /* Not the function's: the token, and what says which part of a table is wanted. */
    static const char *const others[] = {"access_token", "apikey", "select"};
    struct query *q = arg;

    for (size_t i = 0; i < LENGTH(others); i++) {
        if (strcmp(others[i], name) == 0)
            return;
    }
    if (json_object_set_new(q->arguments, name, json_string(value)) != 0)
        q->broken = true;
}

/* NULL: they are no UTF-8. */
static const char *
arguments_of_query(struct web_request *r)
{
    struct query q = {.arguments = json_object()};
    const char *copy = NULL;
    char *text;

    web_query_each(r, take_parameter, &q);
    text = q.broken ? NULL : json_dumps(q.arguments, JSON_COMPACT);
    if (text != NULL)
        copy = arena_strdup(web_arena(r), text);
    free(text);
    json_decref(q.arguments);
    return copy;
}

/* NULL: it cannot be JSON. */
static const char *
arguments_of_body(struct web_request *r)
{
    size_t len;
    const char *body = web_body(r, &len);

    if (strlen(body) != len)
        return NULL;
    return len == 0 ? "{}" : body;
}

/* --- the call -------------------------------------------------------------------------------- */

static void
on_answer(struct web_request *r, void *arg, const PGresult *res)
{
    const struct call *call = arg;

    if (row_is_null(res, 0, 0))
        no_such_arguments(r, call->function, row_text(res, 0, 1));
    else
        web_answer(r, 200, call->type, row_text(res, 0, 0), strlen(row_text(res, 0, 0)));
}

static bool
is_good_method(struct web_request *r, const struct function *f)
{
    if (web_method(r) == WEB_POST || f->access == ASK_READS)
        return true;
    web_add_header(r, "Allow", "POST");
    answer_refused(r, 405, "25006", "%s writes: it has to be a POST", f->name);
    return false;
}

void
rpc_call(struct web_request *r, void *owner)
{
    struct gateway *g = owner;
    const struct function *f = find_function(web_segment(r, 0));
    struct call *call = arena_alloc(web_arena(r), sizeof(*call));
    const char *arguments;
    struct user user;
    struct params p;
    bool single;

    if (!auth_user(g, r, &user) || !postgrest_accepts(r, &call->type, &single))
        return;
    if (f == NULL) {
        no_function(r, web_segment(r, 0));
        return;
    }
    if (!is_good_method(r, f))
        return;
    arguments = web_method(r) == WEB_POST ? arguments_of_body(r) : arguments_of_query(r);
    if (arguments == NULL) {
        answer_refused(r, 400, "PGRST102", "Empty or invalid json");
        return;
    }
    call->function = f;
    params_init(&p);
    param_text(&p, arguments);
    ask(g, r, &user, &f->call, &p, f->access, on_answer, call);
}
