/*
 * ping: is the daemon there and not stalled, and with --db is the database?  For health
 * checks.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/out.h"
#include "cli/values.h"

const struct cli_option ping_options[] = {
    {.name = "db", .help = "ask the database too"},
    {.name = NULL},
};

static void
say_pong(const json_t *answer, bool with_database)
{
    char uptime[32];

    printf("pgcrewd ");
    out_printable(stdout, value_text(answer, "version"), false);
    printf(" on ");
    out_printable(stdout, value_text(answer, "name"), false);
    printf(": ");
    out_printable(stdout, value_text(answer, "state"), false);
    printf(", pid %d, up for %s%s\n", (int)value_int(answer, "pid"),
           text_ago(uptime, value_int(answer, "uptime_ms")),
           with_database ? "; the database answers" : "");
}

static void
say_stall(const json_t *stall)
{
    char since[32];

    if (!json_is_object(stall))
        return;
    printf("nothing of queue ");
    out_printable(stdout, value_text(stall, "queues"), false);
    printf(" has been claimed for %s: ", text_ago(since, value_int(stall, "ms")));
    out_printable(stdout, value_text(stall, "why"), false);
    putchar('\n');
}

static enum cli_exit
say(struct cli *cli, json_t *answer, bool with_database)
{
    bool is_stalled = strcmp(value_text(answer, "state"), "stalled") == 0;

    if (cli->json) {
        out_json(cli, answer);
    } else {
        say_pong(answer, with_database);
        say_stall(json_object_get(answer, "stall"));
        json_decref(answer);
    }
    return is_stalled ? CLI_NOT_DONE : CLI_DONE;
}

enum cli_exit
ping_run(struct cli *cli, const struct args *args)
{
    bool with_database = args_has(args, "db");
    json_t *answer;

    if (!cli_ask_daemon(cli, "ping", NULL, &answer))
        return cli->status;
    if (with_database) {
        AUTO(result) PGresult *res = cli_query(cli, "select 1", NULL);

        if (res == NULL) {
            json_decref(answer);
            return cli->status;
        }
        json_object_set_new(answer, "database", json_true());
    }
    return say(cli, answer, with_database);
}
