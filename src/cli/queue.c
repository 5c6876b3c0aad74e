/*
 * queue list, pause, resume.
 */
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/out.h"
#include "cli/values.h"
#include "sqltext.h"

#define COUNT_MAX 10000

static const struct column list_columns[] = {
    {.field = "queue", .head = "QUEUE", .max_width = 40},
    {.field = "ready", .head = "READY", .kind = COLUMN_NUMBER},
    {.field = "scheduled", .head = "SCHEDULED", .kind = COLUMN_NUMBER},
    {.field = "workers", .head = "WORKERS", .kind = COLUMN_NUMBER},
    {.field = "oldest_ms", .head = "OLDEST", .kind = COLUMN_MS},
    {.field = "paused_at", .head = "PAUSED", .kind = COLUMN_TIME},
    {.field = "paused_by", .head = "BY", .max_width = 40},
    {.field = NULL},
};

static const struct column change_columns[] = {
    {.field = "queue", .head = "QUEUE", .max_width = 40},
    {.field = "what", .head = "WHAT", .kind = COLUMN_STATUS},
    {.field = NULL},
};

enum cli_exit
queue_list(struct cli *cli, UNUSED const struct args *args)
{
    AUTO(result) PGresult *res = NULL;
    struct params p;
    bool found;

    params_init(&p);
    param_int8(&p, COUNT_MAX);
    res = cli_query(cli, sql_cli_queues, &p);
    if (res == NULL)
        return cli->status;
    found = PQntuples(res) > 0;
    out_list(cli, "queues", value_from_rows(res), list_columns);
    return found ? CLI_DONE : CLI_NOT_DONE;
}

const char *
cli_who(struct cli *cli)
{
    const struct passwd *user = getpwuid(geteuid());
    char host[64] = "";

    gethostname(host, sizeof(host) - 1);
    if (user == NULL)
        return arena_printf(&cli->arena, "uid %u@%s", (unsigned)geteuid(), host);
    return arena_printf(&cli->arena, "%s@%s", user->pw_name, host);
}

enum cli_exit
queue_pause(struct cli *cli, const struct args *args)
{
    return change_named(cli, args, sql_cli_queue_pause, true, "queues", change_columns);
}

enum cli_exit
queue_resume(struct cli *cli, const struct args *args)
{
    return change_named(cli, args, sql_cli_queue_resume, false, "queues", change_columns);
}
