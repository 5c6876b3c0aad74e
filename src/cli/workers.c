/*
 * workers: the processes of this host (over the socket) and the lease holders
 * of all hosts (from the database).  Each half works without the other.
 */
#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/out.h"
#include "cli/values.h"
#include "sqltext.h"

static const struct column process_columns[] = {
    {.field = "role", .head = "PROCESS"},
    {.field = "slot", .head = "SLOT", .kind = COLUMN_NUMBER},
    {.field = "pid", .head = "PID", .kind = COLUMN_NUMBER},
    {.field = "state", .head = "STATE", .kind = COLUMN_STATUS},
    {.field = "state_ms", .head = "SINCE", .kind = COLUMN_MS},
    {.field = "n_running", .head = "RUNNING", .kind = COLUMN_NUMBER},
    {.field = "succeeded", .head = "SUCCEEDED", .kind = COLUMN_NUMBER},
    {.field = "failed", .head = "FAILED", .kind = COLUMN_NUMBER},
    {.field = "retried", .head = "RETRIED", .kind = COLUMN_NUMBER},
    {.field = "pss_bytes", .head = "MEMORY", .kind = COLUMN_BYTES},
    {.field = "text", .head = "NOTE", .max_width = 60},
    {.field = NULL},
};

static const struct column holder_columns[] = {
    {.field = "host", .head = "HOST", .max_width = 30},
    {.field = "slot", .head = "SLOT", .kind = COLUMN_NUMBER},
    {.field = "state", .head = "STATE", .kind = COLUMN_STATUS},
    {.field = "claimed", .head = "CLAIMED", .kind = COLUMN_NUMBER},
    {.field = "slots", .head = "SLOTS", .kind = COLUMN_NUMBER},
    {.field = "seen_ms", .head = "SEEN BEFORE", .kind = COLUMN_MS},
    {.field = "queues", .head = "QUEUES", .kind = COLUMN_LIST, .max_width = 30},
    {.field = "kinds", .head = "KINDS", .kind = COLUMN_LIST, .max_width = 40},
    {.field = NULL},
};

static const struct column running_columns[] = {
    {.field = "slot", .head = "SLOT", .kind = COLUMN_NUMBER},
    {.field = "job_id", .head = "JOB", .kind = COLUMN_NUMBER},
    {.field = "kind", .head = "KIND", .max_width = 40},
    {.field = "ms", .head = "FOR", .kind = COLUMN_MS},
    {.field = NULL},
};

/* The jobs of all processes as rows of one table, each with its worker's slot. */
static json_t *
collect_running(const json_t *processes)
{
    json_t *all = json_array(), *process, *job;
    size_t i, j;

    json_array_foreach(processes, i, process)
    {
        json_array_foreach(json_object_get(process, "running"), j, job)
        {
            json_t *row = json_copy(job);

            json_object_set(row, "slot", json_object_get(process, "slot"));
            json_array_append_new(all, row);
        }
    }
    return all;
}

static void
print_processes(const struct cli *cli, const json_t *processes)
{
    json_t *running = collect_running(processes);

    printf("%sthis host%s\n", out_colour(cli, OUT_BOLD), out_colour(cli, OUT_PLAIN));
    out_table(cli, processes, process_columns);
    if (json_array_size(running) > 0) {
        putchar('\n');
        out_table(cli, running, running_columns);
    }
    json_decref(running);
}

static void
print_holders(const struct cli *cli, const json_t *holders)
{
    printf("%sall hosts%s\n", out_colour(cli, OUT_BOLD), out_colour(cli, OUT_PLAIN));
    if (json_array_size(holders) > 0)
        out_table(cli, holders, holder_columns);
    else
        puts("no worker is registered");
}

enum cli_exit
workers_run(struct cli *cli, UNUSED const struct args *args)
{
    json_t *processes = NULL, *holders = NULL;
    struct err no_daemon = {0}, no_database = {0};
    bool has_processes, has_holders;

    if (cli_conf(cli) == NULL)
        return cli->status;
    has_processes = cli_try_daemon(cli, "workers", &processes, &no_daemon);
    has_holders = cli_try_query(cli, sql_cli_workers, NULL, &holders, &no_database);
    if (cli->json) {
        out_json(cli, json_pack("{s:O?, s:s?, s:O?, s:s?}", "processes", processes, "daemon_error",
                                has_processes ? NULL : no_daemon.text, "holders", holders,
                                "database_error", has_holders ? NULL : no_database.text));
    } else {
        if (has_processes)
            print_processes(cli, processes);
        else
            out_note(no_daemon.text);
        if (has_processes && has_holders)
            putchar('\n');
        if (has_holders)
            print_holders(cli, holders);
        else
            out_note(no_database.text);
    }
    json_decref(processes);
    json_decref(holders);
    return has_processes || has_holders ? CLI_DONE : CLI_AWAY;
}
