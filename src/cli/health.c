#include "cli/health.h"

#include <string.h>

#include "base/clock.h"
#include "cli/values.h"
#include "queue/queue.h"
#include "sqltext.h"

static json_t *
text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

/* The server's time in place becomes the difference to ours. */
static void
compare_clocks(json_t *health, int64_t asked_ms, int64_t answered_ms)
{
    char finding[QUEUE_FINDING];
    struct health h;
    json_t *row;
    size_t i;

    json_array_foreach(health, i, row)
    {
        if (strcmp(value_text(row, "name"), "server_ms") != 0)
            continue;
        queue_judge_clock((int64_t)value_real(row, "value"), asked_ms, answered_ms, finding, &h);
        json_array_set_new(health, i,
                           json_pack("{s:s, s:s, s:s, s:f, s:o, s:o}", "name", h.name, "subject",
                                     h.subject, "level", h.level, "value", h.value, "finding",
                                     text_or_null(h.finding), "fix", text_or_null(h.fix)));
    }
}

bool
health_try(struct cli *cli, json_t **ret, struct err *err)
{
    AUTO(params) struct params p;
    int64_t asked_ms;

    params_init(&p);
    if (!cli_try_conf(cli, err))
        return false;
    param_int8(&p, cli->conf->old_transaction_ms);
    if (!cli_try_database(cli, err))
        return false;
    asked_ms = clock_real_ms();
    if (!cli_try_query(cli, sql_cli_health, &p, ret, err))
        return false;
    compare_clocks(*ret, asked_ms, clock_real_ms());
    return true;
}

const json_t *
health_worst(const json_t *health)
{
    const json_t *row;
    size_t i;

    json_array_foreach(health, i, row)
    {
        if (strcmp(value_text(row, "level"), "ok") != 0)
            return row;
    }
    return NULL;
}
