/*
 * job list, show, retry, cancel, log.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/out.h"
#include "cli/values.h"
#include "sqltext.h"

#define LIST_DEFAULT 20
#define LIST_MAX 100000

const struct cli_option job_list_options[] = {
    {.name = "status", .value = "STATUS", .help = "queued, running, succeeded, failed, cancelled"},
    {.name = "kind", .value = "KIND", .help = "only this kind"},
    {.name = "batch", .value = "ID", .help = "only this batch"},
    {.name = "user", .value = "UUID", .help = "only jobs of this user"},
    {.name = "queue", .value = "NAME", .help = "only this queue"},
    {.name = "limit", .value = "N", .help = "at most so many, the newest first (default 20)"},
    {.name = NULL},
};

static const struct column list_columns[] = {
    {.field = "id", .head = "ID", .kind = COLUMN_NUMBER},
    {.field = "kind", .head = "KIND", .max_width = 24},
    {.field = "queue", .head = "QUEUE", .max_width = 20},
    {.field = "status", .head = "STATUS", .kind = COLUMN_STATUS},
    {.field = "progress", .head = "%", .kind = COLUMN_NUMBER},
    {.field = "attempts", .head = "TRIES", .kind = COLUMN_NUMBER},
    {.field = "created_at", .head = "CREATED", .kind = COLUMN_TIME},
    {.field = "error", .head = "ERROR", .max_width = 60},
    {.field = NULL},
};

static const struct column show_fields[] = {
    {.field = "id", .head = "job"},
    {.field = "kind", .head = "kind"},
    {.field = "status", .head = "status", .kind = COLUMN_STATUS},
    {.field = "error", .head = "error"},
    {.field = "progress", .head = "progress"},
    {.field = "progress_note", .head = "note"},
    {.field = "queue", .head = "queue"},
    {.field = "priority", .head = "priority"},
    {.field = "attempts", .head = "attempts charged"},
    {.field = "max_attempts", .head = "attempts allowed"},
    {.field = "host", .head = "claimed by"},
    {.field = "slot", .head = "worker"},
    {.field = "claimed_at", .head = "claimed", .kind = COLUMN_TIME},
    {.field = "batch_id", .head = "batch"},
    {.field = "user_id", .head = "user"},
    {.field = "unique_key", .head = "unique key"},
    {.field = "created_at", .head = "created", .kind = COLUMN_TIME},
    {.field = "run_at", .head = "not before", .kind = COLUMN_TIME},
    {.field = "started_at", .head = "started", .kind = COLUMN_TIME},
    {.field = "finished_at", .head = "finished", .kind = COLUMN_TIME},
    {.field = "payload", .head = "payload"},
    {.field = "result", .head = "result"},
    {.field = NULL},
};

static const struct column change_columns[] = {
    {.field = "job_id", .head = "ID", .kind = COLUMN_NUMBER},
    {.field = "what", .head = "WHAT", .kind = COLUMN_STATUS},
    {.field = NULL},
};

/* --- list -------------------------------------------------------------------------- */

static bool
is_status(const char *text)
{
    static const char *const known[] = {"queued", "running", "succeeded", "failed", "cancelled"};

    for (size_t i = 0; i < LENGTH(known); i++) {
        if (strcmp(known[i], text) == 0)
            return true;
    }
    return false;
}

/* A UUID option, or null without one. */
static bool
add_uuid(struct cli *cli, const struct args *args, const char *option, struct params *p)
{
    const char *word = args_value(args, option);
    struct uuid id;

    if (word == NULL) {
        param_null(p);
        return true;
    }
    if (!cli_uuid(cli, option, word, &id))
        return false;
    param_uuid(p, &id);
    return true;
}

static bool
list_params(struct cli *cli, const struct args *args, struct params *p)
{
    const char *status = args_value(args, "status");
    int64_t limit;

    if (status != NULL && !is_status(status)) {
        cli_failf(cli, CLI_USAGE,
                  "--status must be queued, running, succeeded, failed or cancelled, not '%s'",
                  status);
        return false;
    }
    param_text(p, status);
    param_text(p, args_value(args, "kind"));
    if (!add_uuid(cli, args, "batch", p) || !add_uuid(cli, args, "user", p))
        return false;
    param_text(p, args_value(args, "queue"));
    if (!cli_int(cli, args, "limit", 1, LIST_MAX, LIST_DEFAULT, &limit))
        return false;
    param_int4(p, (int32_t)limit);
    return true;
}

enum cli_exit
job_list(struct cli *cli, const struct args *args)
{
    AUTO(result) PGresult *res = NULL;
    struct params p;
    bool found;

    params_init(&p);
    if (!list_params(cli, args, &p)) {
        params_release(&p);
        return cli->status;
    }
    res = cli_query(cli, sql_cli_job_list, &p);
    if (res == NULL)
        return cli->status;
    found = PQntuples(res) > 0;
    out_list(cli, "jobs", value_from_rows(res), list_columns);
    return found ? CLI_DONE : CLI_NOT_DONE;
}

/* --- show, log --------------------------------------------------------------------- */

/* One job as job_show.sql has it; NULL: it has been said why. */
static json_t *
get_job(struct cli *cli, const struct args *args)
{
    AUTO(result) PGresult *res = NULL;
    struct params p;
    int64_t id;

    if (!cli_job_id(cli, args->words[0], &id))
        return NULL;
    params_init(&p);
    param_int8(&p, id);
    res = cli_query(cli, sql_cli_job_show, &p);
    if (res == NULL)
        return NULL;
    if (PQntuples(res) == 0) {
        cli_failf(cli, CLI_NOT_DONE, "no job %" PRId64, id);
        return NULL;
    }
    return value_from_row(res, 0);
}

enum cli_exit
job_show(struct cli *cli, const struct args *args)
{
    json_t *job = get_job(cli, args);

    if (job == NULL)
        return cli->status;
    if (cli->json) {
        out_json(cli, job);
        return CLI_DONE;
    }
    out_fields(cli, job, show_fields);
    if (json_is_true(json_object_get(job, "cancel_asked")))
        puts("its cancellation has been asked for");
    json_decref(job);
    return CLI_DONE;
}

static void
print_attempt(const struct cli *cli, const json_t *a)
{
    AUTO(buf) struct buf when = {0};

    out_value(&when, json_object_get(a, "finished_at"), COLUMN_TIME);
    printf("%sattempt %d%s  %s  %s%s", out_colour(cli, OUT_BOLD), (int)value_int(a, "attempt"),
           out_colour(cli, OUT_PLAIN), buf_text(&when), value_text(a, "cause"),
           value_is_set(a, "host") ? " on " : "");
    out_printable(stdout, value_text(a, "host"), false);
    if (value_is_set(a, "exit_code"))
        printf(", exit status %d", (int)value_int(a, "exit_code"));
    if (value_is_set(a, "signal"))
        printf(", signal %d (%s)", (int)value_int(a, "signal"),
               sigabbrev_np((int)value_int(a, "signal")) != NULL
                   ? sigabbrev_np((int)value_int(a, "signal"))
                   : "?");
    putchar('\n');
    if (value_is_set(a, "error")) {
        fputs("  error: ", stdout);
        out_printable(stdout, value_text(a, "error"), false);
        putchar('\n');
    }
}

/* CPU time and peak memory, where they are known: 0 and null are not. */
static void
print_used(const json_t *a)
{
    AUTO(buf) struct buf memory = {0};
    double user_ms = (double)value_int(a, "user_ms"), system_ms = (double)value_int(a, "system_ms");

    if (value_is_set(a, "max_rss_bytes"))
        out_value(&memory, json_object_get(a, "max_rss_bytes"), COLUMN_BYTES);
    else if (user_ms + system_ms <= 0)
        return;
    printf("  used: %.3f s of CPU time (user %.3f s, system %.3f s)%s%s\n",
           (user_ms + system_ms) / 1000, user_ms / 1000, system_ms / 1000,
           memory.len > 0 ? ", at most " : "", buf_text(&memory));
}

static void
print_stderr(const json_t *attempt)
{
    const char *text = value_text(attempt, "stderr_tail");

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        AUTO(mem) char *line = xstrndup(text, len);

        fputs("  | ", stdout);
        out_printable(stdout, line, false);
        putchar('\n');
        text += len;
        text += *text == '\n';
    }
}

enum cli_exit
job_log(struct cli *cli, const struct args *args)
{
    AUTO(result) PGresult *res = NULL;
    json_t *job = get_job(cli, args), *attempts, *attempt;
    struct params p;
    size_t i;

    if (job == NULL)
        return cli->status;
    params_init(&p);
    param_int8(&p, value_int(job, "id"));
    res = cli_query(cli, sql_cli_job_log, &p);
    if (res == NULL) {
        json_decref(job);
        return cli->status;
    }
    attempts = value_from_rows(res);
    if (cli->json) {
        out_json(cli, json_pack("{s:O, s:O, s:o}", "id", json_object_get(job, "id"), "status",
                                json_object_get(job, "status"), "attempts", attempts));
        json_decref(job);
        return CLI_DONE;
    }
    printf("job %" PRId64 " (", value_int(job, "id"));
    out_printable(stdout, value_text(job, "kind"), false);
    printf("): %s, %s\n", value_text(job, "status"),
           json_array_size(attempts) > 0 ? "attempts that were noted:" : "no attempt has failed");
    json_array_foreach(attempts, i, attempt)
    {
        print_attempt(cli, attempt);
        print_used(attempt);
        print_stderr(attempt);
    }
    json_decref(attempts);
    json_decref(job);
    return CLI_DONE;
}

/* --- retry, cancel ------------------------------------------------------------------- */

/* Only "ended", "not_ended" and "unknown" mean that nothing was done. */
static bool
is_done(const json_t *row)
{
    const char *what = value_text(row, "what");

    return strcmp(what, "queued") == 0 || strcmp(what, "cancelled") == 0 ||
           strcmp(what, "asked") == 0;
}

static bool
all_done(const json_t *rows)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (!is_done(row))
            return false;
    }
    return true;
}

static enum cli_exit
change(struct cli *cli, const struct args *args, const char *sql)
{
    AUTO(result) PGresult *res = NULL;
    int64_t *ids = arena_alloc(&cli->arena, args->n_words * sizeof(*ids));
    struct params p;
    enum cli_exit status;
    json_t *rows;

    for (size_t i = 0; i < args->n_words; i++) {
        if (!cli_job_id(cli, args->words[i], &ids[i]))
            return cli->status;
    }
    params_init(&p);
    param_int8s(&p, ids, args->n_words);
    res = cli_query(cli, sql, &p);
    if (res == NULL)
        return cli->status;
    rows = value_from_rows(res);
    status = all_done(rows) ? CLI_DONE : CLI_NOT_DONE;
    out_list(cli, "jobs", rows, change_columns);
    return status;
}

enum cli_exit
job_retry(struct cli *cli, const struct args *args)
{
    return change(cli, args, sql_cli_job_retry);
}

enum cli_exit
job_cancel(struct cli *cli, const struct args *args)
{
    return change(cli, args, sql_cli_job_cancel);
}
