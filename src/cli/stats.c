/*
 * stats: what this host's daemon does (over its socket) and what waits in the
 * database.  Each half works without the other.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/health.h"
#include "cli/out.h"
#include "cli/values.h"
#include "metrics/metrics.h"
#include "sqltext.h"

#define COUNT_MAX 10000

const struct cli_option stats_options[] = {
    {.name = "prometheus", .help = "as text for Prometheus, see pgcrew-dashboard(7)"},
    {.name = NULL},
};

static const struct column queue_columns[] = {
    {.field = "queue", .head = "QUEUE", .max_width = 40},
    {.field = "ready", .head = "READY", .kind = COLUMN_NUMBER},
    {.field = "scheduled", .head = "SCHEDULED", .kind = COLUMN_NUMBER},
    {.field = "workers", .head = "WORKERS", .kind = COLUMN_NUMBER},
    {.field = "oldest_ms", .head = "OLDEST", .kind = COLUMN_MS},
    {.field = "state", .head = "STATE", .kind = COLUMN_STATUS},
    {.field = NULL},
};

static const struct column daemon_fields[] = {
    {.field = "name", .head = "daemon"},
    {.field = "version", .head = "version"},
    {.field = "pid", .head = "pid"},
    {.field = "state", .head = "state", .kind = COLUMN_STATUS},
    {.field = "uptime_ms", .head = "up for", .kind = COLUMN_MS},
    {.field = "janitor", .head = "janitor"},
    {.field = "lease_ok_ms", .head = "lease renewed before", .kind = COLUMN_MS},
    {.field = "running", .head = "jobs running"},
    {.field = "reaps_waiting", .head = "dead workers to reap"},
    {.field = "control_groups", .head = "control groups"},
    {.field = NULL},
};

static bool
ask_database(struct cli *cli, json_t **ret, struct err *err)
{
    AUTO(params) struct params p;
    json_t *queues, *claimed, *health;

    params_init(&p);
    param_int8(&p, COUNT_MAX);
    if (!cli_try_query(cli, sql_cli_queues, &p, &queues, err))
        return false;
    if (!cli_try_query(cli, sql_cli_claimed, NULL, &claimed, err)) {
        json_decref(queues);
        return false;
    }
    *ret = json_deep_copy(json_array_get(claimed, 0));
    json_decref(claimed);
    json_object_set_new(*ret, "queues", queues);
    if (health_try(cli, &health, err)) /* an older schema has none */
        json_object_set_new(*ret, "health", health);
    json_object_set_new(*ret, "counted_up_to", json_integer(COUNT_MAX));
    return true;
}

/* {"crash": 2, "signal": 1} as "2 crash, 1 signal"; zeros are left out. */
static void
print_counts(const char *head, json_t *counts)
{
    const char *name, *gap = "";
    json_t *value;
    bool any = false;

    json_object_foreach(counts, name, value)
    {
        if (json_integer_value(value) == 0)
            continue;
        printf("%s%s%" JSON_INTEGER_FORMAT " %s", any ? "" : head, gap, json_integer_value(value),
               name);
        gap = ", ";
        any = true;
    }
    if (any)
        putchar('\n');
}

/* "gateway: idle, 12 requests answered, 3 connections (1 stream) open" */
static void
print_front(const json_t *daemon, const char *name)
{
    const json_t *front = json_object_get(daemon, name);
    const char *text = value_text(front, "text");

    if (!json_is_object(front))
        return;
    printf("%s: %s, %" PRId64 " requests answered, %" PRId64 " connections open, %" PRId64
           " of them streams",
           name, value_text(front, "state"), value_int(front, "requests"),
           value_int(front, "connections"), value_int(front, "streams"));
    if (text[0] != '\0') {
        fputs("; ", stdout);
        out_printable(stdout, text, false);
    }
    putchar('\n');
}

static void
print_daemon(const struct cli *cli, const json_t *daemon)
{
    const json_t *pss = json_object_get(daemon, "pss_bytes");
    const json_t *stall = json_object_get(daemon, "stall");
    char since[32];

    out_fields(cli, daemon, daemon_fields);
    if (json_is_object(stall))
        printf("STALLED for %s: %s\n", text_ago(since, value_int(stall, "ms")),
               value_text(stall, "why"));
    print_front(daemon, "gateway");
    print_front(daemon, "dashboard");
    print_counts("workers: ", json_object_get(daemon, "workers"));
    print_counts("since its start: ", json_object_get(daemon, "totals"));
    print_counts("restarts: ", json_object_get(daemon, "restarts"));
    if (pss != NULL)
        printf("memory: supervisor %.1f, janitor %.1f, workers %.1f MiB\n",
               (double)value_int(pss, "supervisor") / (1 << 20),
               (double)value_int(pss, "janitor") / (1 << 20),
               (double)value_int(pss, "workers") / (1 << 20));
}

static void
print_health(const struct cli *cli, const json_t *health)
{
    const json_t *row;
    size_t i;

    json_array_foreach(health, i, row)
    {
        const char *level = value_text(row, "level");

        if (strcmp(level, "ok") == 0)
            continue;
        printf("%s%s%s: ", out_colour(cli, out_status_colour(level)), level,
               out_colour(cli, OUT_PLAIN));
        out_printable(stdout, value_text(row, "finding"), false);
        putchar('\n');
    }
}

static void
print_database(const struct cli *cli, const json_t *database)
{
    const json_t *queues = json_object_get(database, "queues"), *queue;
    size_t i;

    printf("all hosts: %" PRId64 " jobs claimed, %" PRId64 " workers alive, %" PRId64 " lost\n",
           value_int(database, "claimed"), value_int(database, "live"),
           value_int(database, "lost"));
    if (json_array_size(queues) > 0)
        out_table(cli, queues, queue_columns);
    json_array_foreach(queues, i, queue)
    {
        if (value_int(queue, "ready") >= COUNT_MAX || value_int(queue, "scheduled") >= COUNT_MAX) {
            printf("(%d stands for so many or more)\n", COUNT_MAX);
            break;
        }
    }
    print_health(cli, json_object_get(database, "health"));
}

/* Is it among "default, images"? */
static bool
is_listed(const char *names, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = names; (at = strstr(at, name)) != NULL; at++) {
        if ((at == names || at[-1] == ' ') && (at[len] == '\0' || at[len] == ','))
            return true;
    }
    return false;
}

/* What waits is asked of the database; that nobody takes it is the daemon's word. */
static void
mark_state(const json_t *daemon, json_t *database)
{
    const json_t *stall = json_object_get(daemon, "stall");
    json_t *queue;
    size_t i;

    json_array_foreach(json_object_get(database, "queues"), i, queue)
    {
        bool is_stalled = is_listed(value_text(stall, "queues"), value_text(queue, "queue"));
        bool is_paused = value_is_set(queue, "paused_at");

        json_object_set_new(queue, "state",
                            json_string(is_paused    ? "paused"
                                        : is_stalled ? "stalled"
                                                     : "ok"));
    }
}

static void
print_both(struct cli *cli, json_t *daemon, const struct err *no_daemon, json_t *database,
           const struct err *no_database)
{
    if (daemon != NULL)
        print_daemon(cli, daemon);
    if (daemon != NULL && database != NULL)
        putchar('\n');
    if (database != NULL)
        print_database(cli, database);
    if (daemon == NULL)
        out_note(no_daemon->text);
    if (database == NULL)
        out_note(no_database->text);
}

static void
print_metrics(json_t *daemon, json_t *database)
{
    AUTO(buf) struct buf text = {0};
    json_t *facts = json_pack("{s:O?, s:O?}", "daemon", daemon, "database", database);

    metrics_write(facts, &text);
    fputs(buf_text(&text), stdout);
    json_decref(facts);
}

enum cli_exit
stats_run(struct cli *cli, const struct args *args)
{
    json_t *daemon = NULL, *database = NULL;
    struct err no_daemon = {0}, no_database = {0};
    enum cli_exit status;

    if (cli_conf(cli) == NULL)
        return cli->status;
    if (!cli_try_daemon(cli, "stats", &daemon, &no_daemon))
        daemon = NULL;
    if (!ask_database(cli, &database, &no_database))
        database = NULL;
    mark_state(daemon, database);
    status = daemon == NULL && database == NULL ? CLI_AWAY : CLI_DONE;
    if (args_has(args, "prometheus"))
        print_metrics(daemon, database);
    else if (cli->json)
        out_json(cli, json_pack("{s:O?, s:s?, s:O?, s:s?}", "daemon", daemon, "daemon_error",
                                daemon == NULL ? no_daemon.text : NULL, "database", database,
                                "database_error", database == NULL ? no_database.text : NULL));
    else
        print_both(cli, daemon, &no_daemon, database, &no_database);
    json_decref(daemon);
    json_decref(database);
    return status;
}
