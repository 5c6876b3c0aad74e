/*
 * /rest/v1/jobs, and what else of PostgREST's paths is asked for.
 */
#include <string.h>

#include "base/text.h"
#include "gateway/rest_answer.h"
#include "gateway/rest_sql.h"
#include "gateway/state.h"

enum { COL_TOTAL, COL_ROWS, COL_BODY };

/* A query under way. */
struct under_way {
    struct rest_query query;
    struct statement statement;
};

static void
answer_refusal(struct web_request *r, const struct rest_refusal *why)
{
    answer_trouble(r, &(struct trouble){.status = why->status,
                                        .code = why->code,
                                        .message = why->message,
                                        .details = why->details,
                                        .hint = why->hint});
}

/* --- the answer ------------------------------------------------------------------------ */

static void
answer_rows(struct web_request *r, struct rest_query *q, const PGresult *res)
{
    const struct rest_found found = {
        .rows = row_int(res, 0, COL_ROWS),
        .total = row_is_null(res, 0, COL_TOTAL) ? -1 : row_int(res, 0, COL_TOTAL)};
    char range[REST_RANGE_SIZE];
    int status = rest_judge(q, &found, range);

    web_add_header(r, "Content-Range", range);
    if (q->counts)
        web_add_header(r, "Preference-Applied", "count=exact");
    if (q->refused.status != 0)
        answer_refusal(r, &q->refused);
    else
        web_answer(r, status, rest_content_type(q), row_text(res, 0, COL_BODY),
                   row_length(res, 0, COL_BODY));
}

static void
on_answer(struct web_request *r, void *arg, const PGresult *res)
{
    struct under_way *u = arg;

    if (row_is_null(res, 0, COL_BODY))
        answer_trouble(r, &(struct trouble){.status = 400,
                                            .code = "54000",
                                            .message = "the answer would be longer than 8 MiB",
                                            .hint = "select fewer columns, or set a limit"});
    else
        answer_rows(r, &u->query, res);
}

/* --- the request ----------------------------------------------------------------------- */

static bool
read_query(struct web_request *r, struct rest_query *q)
{
    const struct rest_headers headers = {.accept = web_header(r, "Accept"),
                                         .accept_profile = web_header(r, "Accept-Profile"),
                                         .prefer = web_header(r, "Prefer"),
                                         .range = web_header(r, "Range"),
                                         .range_unit = web_header(r, "Range-Unit")};

    rest_query_begin(q, web_arena(r));
    q->headers_only = web_is_head(r);
    rest_query_headers(q, &headers);
    web_query_each(r, rest_query_param, q);
    return rest_query_end(q);
}

void
rest_jobs(struct web_request *r, void *owner)
{
    AUTO(buf) struct buf sql = {0};
    struct gateway *g = owner;
    struct under_way *u = arena_alloc(web_arena(r), sizeof(*u));
    struct params params;
    struct user user;

    if (!auth_user(g, r, &user))
        return;
    if (!read_query(r, &u->query)) {
        answer_refusal(r, &u->query.refused);
        return;
    }
    params_init(&params);
    rest_sql(&u->query, &sql, &params);
    /* Made for this request: without a name it is not prepared. */
    u->statement = (struct statement){.sql = arena_strdup(web_arena(r), buf_text(&sql))};
    ask(g, r, &user, &u->statement, &params, ASK_READS, on_answer, u);
}

/* --- what there is not ----------------------------------------------------------------- */

void
rest_jobs_read_only(struct web_request *r, void *owner)
{
    struct user user;

    if (!auth_user(owner, r, &user))
        return;
    web_add_header(r, "Allow", "GET, HEAD, OPTIONS");
    answer_trouble(r, &(struct trouble){.status = 405,
                                        .code = "PGRST117",
                                        .message = "jobs can only be read here",
                                        .hint = "call rpc enqueue_jobs to put jobs in, and rpc "
                                                "cancel_batch to cancel them"});
}

void
rest_elsewhere(struct web_request *r, void *owner)
{
    char shown[100];
    const char *rest = web_segment(r, 0);
    struct user user;

    if (!auth_user(owner, r, &user))
        return;
    if (rest == NULL || *rest == '\0' || strchr(rest, '/') != NULL) {
        answer_refused(r, 404, "PGRST125", "Invalid path specified in request URL");
        return;
    }
    text_printable(shown, sizeof(shown), rest,
                   text_utf8_cut(rest, strlen(rest), sizeof(shown) - 1));
    answer_trouble(r, &(struct trouble){.status = 404,
                                        .code = "PGRST205",
                                        .message = arena_printf(web_arena(r),
                                                                "Could not find the table "
                                                                "'public.%s' in the schema cache",
                                                                shown),
                                        .hint = "Perhaps you meant the table 'public.jobs'"});
}
