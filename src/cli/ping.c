/*
 * ping: is the daemon there, and with --db is the database?  For health checks.
 */
#include <stdio.h>

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
    if (cli->json) {
        out_json(cli, answer);
        return CLI_DONE;
    }
    say_pong(answer, with_database);
    json_decref(answer);
    return CLI_DONE;
}
