/*
 * batch new, show, cancel, retry.
 */
#include <stdio.h>
#include <string.h>

#include "cli/batch_status.h"
#include "cli/commands.h"
#include "cli/out.h"
#include "cli/values.h"
#include "sqltext.h"

#define SHOWN_JOBS 20

const struct cli_option batch_show_options[] = {
    {.name = "as", .value = "USER", .help = "as this user sees it, through row level security"},
    {.name = "jobs", .value = "N", .help = "show so many of its jobs (default 20, at most 1000)"},
    {.name = NULL},
};

static const struct column batch_fields[] = {
    {.field = "batch_id", .head = "batch"},
    {.field = "status", .head = "status", .kind = COLUMN_STATUS},
    {.field = "percent", .head = "percent"},
    {.field = "total", .head = "jobs"},
    {.field = "queued", .head = "queued"},
    {.field = "running", .head = "running"},
    {.field = "succeeded", .head = "succeeded"},
    {.field = "failed", .head = "failed"},
    {.field = "cancelled", .head = "cancelled"},
    {.field = "created_at", .head = "created", .kind = COLUMN_TIME},
    {.field = "started_at", .head = "started", .kind = COLUMN_TIME},
    {.field = "finished_at", .head = "finished", .kind = COLUMN_TIME},
    {.field = NULL},
};

static const struct column batch_jobs[] = {
    {.field = "id", .head = "ID", .kind = COLUMN_NUMBER},
    {.field = "kind", .head = "KIND", .max_width = 24},
    {.field = "status", .head = "STATUS", .kind = COLUMN_STATUS},
    {.field = "progress", .head = "%", .kind = COLUMN_NUMBER},
    {.field = "attempts", .head = "TRIES", .kind = COLUMN_NUMBER},
    {.field = "error", .head = "ERROR", .max_width = 60},
    {.field = NULL},
};

enum cli_exit
batch_new(struct cli *cli, UNUSED const struct args *args)
{
    struct uuid batch = uuid_random();
    char text[UUID_TEXT_SIZE];

    uuid_text(text, &batch);
    if (cli->json)
        out_json(cli, json_pack("{s:s}", "batch_id", text));
    else
        puts(text);
    return CLI_DONE;
}

/* --- asking ------------------------------------------------------------------------ */

static bool
ask(struct session *db, const struct uuid *batch, const struct uuid *user, int job_limit,
    PGresult **ret, struct err *err)
{
    AUTO(params) struct params who, what;

    params_init(&who);
    params_init(&what);
    if (user != NULL) {
        param_uuid(&who, user);
        if (!session_run(db, sql_cli_become_user, &who, NULL, err))
            return err_before(err, "this login cannot act for users");
    }
    param_uuid(&what, batch);
    param_int4(&what, job_limit);
    return session_run(db, sql_cli_batch_status, &what, ret, err);
}

bool
batch_status_get(struct session *db, const struct uuid *batch, const struct uuid *user,
                 int job_limit, json_t **ret, struct err *err)
{
    AUTO(result) PGresult *res = NULL;
    json_t *row;

    if (!session_begin(db, err))
        return false;
    if (!ask(db, batch, user, job_limit, &res, err)) {
        session_rollback(db);
        return false;
    }
    /* Nothing was changed; the role ends with the transaction. */
    session_rollback(db);
    row = value_from_row(res, 0);
    *ret = json_incref(json_object_get(row, "status"));
    json_decref(row);
    return true;
}

bool
batch_status_is_unknown(const struct err *err)
{
    return strcmp(err->sqlstate, "PT404") == 0;
}

/* --- show -------------------------------------------------------------------------- */

static void
print_batch(const struct cli *cli, const json_t *status)
{
    const json_t *jobs = json_object_get(status, "jobs");
    size_t left = (size_t)value_int(status, "total") - json_array_size(jobs);

    out_fields(cli, status, batch_fields);
    if (json_array_size(jobs) == 0)
        return;
    putchar('\n');
    out_table(cli, jobs, batch_jobs);
    if (left > 0)
        printf("... and %zu more: --jobs N\n", left);
}

enum cli_exit
batch_show(struct cli *cli, const struct args *args)
{
    const char *as = args_value(args, "as");
    struct uuid batch, user;
    struct session *db;
    int64_t limit;
    json_t *status;
    struct err err;

    if (!cli_uuid(cli, "batch", args->words[0], &batch) ||
        (as != NULL && !cli_uuid(cli, "user", as, &user)) ||
        !cli_int(cli, args, "jobs", 0, 1000, SHOWN_JOBS, &limit))
        return cli->status;
    /* A configured role is the worker's, and that may not become a user. */
    db = as != NULL ? cli_database_as_login(cli) : cli_database(cli);
    if (db == NULL)
        return cli->status;
    if (!batch_status_get(db, &batch, as != NULL ? &user : NULL, (int)limit, &status, &err)) {
        if (batch_status_is_unknown(&err))
            return cli_failf(cli, CLI_NOT_DONE, "no batch %s%s%s", args->words[0],
                             as != NULL ? " that this user may see" : "",
                             as != NULL ? " (pgcrew doctor explains policies)" : "");
        return cli_fail_database(cli, &err);
    }
    if (cli->json) {
        out_json(cli, status);
        return CLI_DONE;
    }
    print_batch(cli, status);
    json_decref(status);
    return CLI_DONE;
}

/* --- cancel, retry ------------------------------------------------------------------- */

/* Run a statement about one batch; NULL when it failed or the batch has no jobs. */
static json_t *
change(struct cli *cli, const struct args *args, const char *sql)
{
    AUTO(result) PGresult *res = NULL;
    struct params p;
    struct uuid batch;
    json_t *answer;

    if (!cli_uuid(cli, "batch", args->words[0], &batch))
        return NULL;
    params_init(&p);
    param_uuid(&p, &batch);
    res = cli_query(cli, sql, &p);
    if (res == NULL)
        return NULL;
    answer = value_from_row(res, 0);
    if (value_int(answer, "total") == 0) {
        json_decref(answer);
        cli_failf(cli, CLI_NOT_DONE, "no batch %s", args->words[0]);
        return NULL;
    }
    json_object_set_new(answer, "batch_id", json_string(args->words[0]));
    return answer;
}

enum cli_exit
batch_cancel(struct cli *cli, const struct args *args)
{
    json_t *answer = change(cli, args, sql_cli_batch_cancel);

    if (answer == NULL)
        return cli->status;
    if (cli->json) {
        out_json(cli, answer);
        return CLI_DONE;
    }
    printf("%d cancelled, %d running asked to stop, of %d jobs\n",
           (int)value_int(answer, "cancelled"), (int)value_int(answer, "asked"),
           (int)value_int(answer, "total"));
    json_decref(answer);
    return CLI_DONE;
}

enum cli_exit
batch_retry(struct cli *cli, const struct args *args)
{
    json_t *answer = change(cli, args, sql_cli_batch_retry);

    if (answer == NULL)
        return cli->status;
    if (cli->json) {
        out_json(cli, answer);
        return CLI_DONE;
    }
    printf("%d of %d jobs queued again\n", (int)value_int(answer, "queued"),
           (int)value_int(answer, "total"));
    json_decref(answer);
    return CLI_DONE;
}
