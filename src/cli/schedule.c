/*
 * schedule list, add, remove, pause, resume, run, next.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/out.h"
#include "cli/payloads.h"
#include "cli/values.h"
#include "sqltext.h"

#define ATTEMPTS_DEFAULT 5
#define COUNT_DEFAULT 5
#define COUNT_MOST 1000

const struct cli_option schedule_add_options[] = {
    {.name = "timezone",
     .value = "ZONE",
     .help = "whose clock it is, as Europe/Berlin (default UTC)"},
    {.name = "queue", .value = "NAME", .help = "the queue of its jobs (default: default)"},
    {.name = "priority", .value = "0..9", .help = "9 is claimed first (default 0)"},
    {.name = "max-attempts",
     .value = "N",
     .help = "attempts before a job fails for good (default 5)"},
    {.name = "catch-up",
     .value = "HOW",
     .help = "jobs for times that were missed: none, one (default) or all (at most 100)"},
    {.name = "overlap",
     .value = "yes|no",
     .help = "no: no job while the one before has not ended (default yes)"},
    {.name = NULL},
};

const struct cli_option schedule_next_options[] = {
    {.name = "timezone", .value = "ZONE", .help = "whose clock it is (default UTC)"},
    {.name = "count", .value = "N", .help = "so many times (default 5)"},
    {.name = NULL},
};

static const struct column list_columns[] = {
    {.field = "name", .head = "NAME", .max_width = 30},
    {.field = "cron", .head = "CRON", .max_width = 30},
    {.field = "timezone", .head = "ZONE", .max_width = 20},
    {.field = "kind", .head = "KIND", .max_width = 24},
    {.field = "next_at", .head = "NEXT", .kind = COLUMN_TIME},
    {.field = "last_at", .head = "LAST", .kind = COLUMN_TIME},
    {.field = "last_job_id", .head = "JOB", .kind = COLUMN_NUMBER},
    {.field = "last_status", .head = "STATUS", .kind = COLUMN_STATUS},
    {.field = "paused_at", .head = "PAUSED", .kind = COLUMN_TIME},
    {.field = "error", .head = "ERROR", .max_width = 60},
    {.field = NULL},
};

static const struct column added_columns[] = {
    {.field = "name", .head = "NAME", .max_width = 40},
    {.field = "what", .head = "WHAT", .kind = COLUMN_STATUS},
    {.field = "next_at", .head = "NEXT", .kind = COLUMN_TIME},
    {.field = NULL},
};

static const struct column change_columns[] = {
    {.field = "name", .head = "NAME", .max_width = 40},
    {.field = "what", .head = "WHAT", .kind = COLUMN_STATUS},
    {.field = NULL},
};

static const struct column next_columns[] = {
    {.field = "local", .head = "THERE"},
    {.field = "at", .head = "HERE", .kind = COLUMN_TIME},
    {.field = NULL},
};

enum cli_exit
schedule_list(struct cli *cli, UNUSED const struct args *args)
{
    AUTO(result) PGresult *res = cli_query(cli, sql_cli_schedule_list, NULL);
    bool found;

    if (res == NULL)
        return cli->status;
    found = PQntuples(res) > 0;
    out_list(cli, "schedules", value_from_rows(res), list_columns);
    return found ? CLI_DONE : CLI_NOT_DONE;
}

/* --- add ----------------------------------------------------------------------------- */

static const char *
value_or(const struct args *args, const char *option, const char *fallback)
{
    const char *value = args_value(args, option);

    return value != NULL ? value : fallback;
}

static bool
read_payload(struct cli *cli, const struct args *args, struct buf *ret)
{
    struct payloads *source = payloads_of_text(args->n_words > 3 ? args->words[3] : NULL);
    struct err err;
    bool got = payloads_next(source, ret, &err) == PAYLOAD_GOT;

    payloads_free(source);
    if (!got)
        cli_fail(cli, CLI_USAGE, &err);
    return got;
}

static bool
add_params(struct cli *cli, const struct args *args, const struct buf *payload, struct params *p)
{
    const char *overlap = value_or(args, "overlap", "yes");
    int64_t priority, attempts;

    if (!cli_int(cli, args, "priority", 0, 9, 0, &priority) ||
        !cli_int(cli, args, "max-attempts", 1, INT16_MAX, ATTEMPTS_DEFAULT, &attempts))
        return false;
    if (strcmp(overlap, "yes") != 0 && strcmp(overlap, "no") != 0) {
        cli_failf(cli, CLI_USAGE, "--overlap must be yes or no, not '%s'", overlap);
        return false;
    }
    for (size_t i = 0; i < 3; i++)
        param_text(p, args->words[i]);
    param_text(p, buf_text(payload));
    param_text(p, value_or(args, "timezone", "UTC"));
    param_text(p, value_or(args, "queue", "default"));
    param_int4(p, (int32_t)priority);
    param_int4(p, (int32_t)attempts);
    param_text(p, value_or(args, "catch-up", "one"));
    param_bool(p, strcmp(overlap, "yes") == 0);
    param_text(p, cli_who(cli));
    return true;
}

enum cli_exit
schedule_add(struct cli *cli, const struct args *args)
{
    AUTO(result) PGresult *res = NULL;
    AUTO(buf) struct buf payload = {0};
    struct params p;

    if (!read_payload(cli, args, &payload))
        return cli->status;
    params_init(&p);
    if (!add_params(cli, args, &payload, &p)) {
        params_release(&p);
        return cli->status;
    }
    res = cli_query(cli, sql_cli_schedule_add, &p);
    if (res == NULL)
        return cli->status;
    out_list(cli, "schedules", value_from_rows(res), added_columns);
    return CLI_DONE;
}

/* --- remove, pause, resume ------------------------------------------------------------- */

enum cli_exit
schedule_remove(struct cli *cli, const struct args *args)
{
    return change_named(cli, args, sql_cli_schedule_remove, false, "schedules", change_columns);
}

enum cli_exit
schedule_pause(struct cli *cli, const struct args *args)
{
    return change_named(cli, args, sql_cli_schedule_pause, true, "schedules", change_columns);
}

enum cli_exit
schedule_resume(struct cli *cli, const struct args *args)
{
    return change_named(cli, args, sql_cli_schedule_resume, false, "schedules", change_columns);
}

/* --- run, next -------------------------------------------------------------------------- */

enum cli_exit
schedule_run(struct cli *cli, const struct args *args)
{
    AUTO(result) PGresult *res = NULL;
    struct params p;

    params_init(&p);
    param_text(&p, args->words[0]);
    res = cli_query(cli, sql_cli_schedule_run, &p);
    if (res == NULL)
        return cli->status;
    if (row_is_null(res, 0, 0))
        return cli_failf(cli, CLI_NOT_DONE,
                         "the job before has not ended, and those of '%s' may not overlap",
                         args->words[0]);
    if (cli->json)
        out_json(cli, value_from_row(res, 0));
    else
        printf("%" PRId64 "\n", row_int(res, 0, 0));
    return CLI_DONE;
}

enum cli_exit
schedule_next(struct cli *cli, const struct args *args)
{
    AUTO(result) PGresult *res = NULL;
    struct params p;
    int64_t count;
    json_t *times;

    if (!cli_int(cli, args, "count", 1, COUNT_MOST, COUNT_DEFAULT, &count))
        return cli->status;
    params_init(&p);
    param_text(&p, args->words[0]);
    param_text(&p, value_or(args, "timezone", "UTC"));
    param_int4(&p, (int32_t)count);
    res = cli_query(cli, sql_cli_schedule_next, &p);
    if (res == NULL)
        return cli->status;
    times = value_from_rows(res);
    if (cli->json) {
        out_json(cli, json_pack("{s:o}", "times", times));
        return CLI_DONE;
    }
    out_table(cli, times, next_columns);
    json_decref(times);
    return CLI_DONE;
}
