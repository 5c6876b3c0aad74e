/*
 * why: the one reason that keeps a job from starting or ending.  The database
 * finds the reason (why.sql); the sentences are in queue/why.c.
 */
#include "cli/why.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/out.h"
#include "cli/values.h"
#include "queue/why.h"
#include "sqltext.h"

static bool
is_time(const char *field)
{
    size_t len = strlen(field);

    return len > 3 && strcmp(field + len - 3, "_at") == 0;
}

static void
add_fact(void *facts, const char *name, struct buf *sink)
{
    out_value(sink, json_object_get(facts, name), is_time(name) ? COLUMN_TIME : COLUMN_TEXT);
}

/* The sentences, into the facts. */
static bool
explain(json_t *facts)
{
    AUTO(buf) struct buf text = {0};
    AUTO(buf) struct buf advice = {0};

    if (!why_explain(value_text(facts, "reason"), value_text(facts, "last_cause"), add_fact, facts,
                     &text, &advice))
        return false;
    json_object_set_new(facts, "text", json_string(buf_text(&text)));
    json_object_set_new(facts, "advice",
                        advice.len > 0 ? json_string(buf_text(&advice)) : json_null());
    return true;
}

json_t *
why_ask(struct cli *cli, int64_t job_id)
{
    AUTO(result) PGresult *res = NULL;
    struct params p;
    json_t *facts;

    params_init(&p);
    param_int8(&p, job_id);
    param_int8(&p, WHY_COUNT_AHEAD_MAX);
    res = cli_query(cli, sql_cli_why, &p);
    if (res == NULL)
        return NULL;
    facts = PQntuples(res) > 0
                ? value_from_row(res, 0)
                : json_pack("{s:I, s:s}", "id", (json_int_t)job_id, "reason", "unknown");
    if (!explain(facts)) {
        cli_failf(cli, CLI_NOT_DONE, "unknown reason '%s'", value_text(facts, "reason"));
        json_decref(facts);
        return NULL;
    }
    return facts;
}

static const enum out_colour colours[] = {
    [WHY_GOES_ON] = OUT_BLUE,
    [WHY_WELL] = OUT_GREEN,
    [WHY_WAITS] = OUT_YELLOW,
    [WHY_WRONG] = OUT_RED,
};

static void
print(const struct cli *cli, const json_t *facts)
{
    printf("job %" PRId64 ": %s%s%s\n", value_int(facts, "id"),
           out_colour(cli, colours[why_tone(value_text(facts, "reason"))]),
           value_text(facts, "text"), out_colour(cli, OUT_PLAIN));
    if (value_is_set(facts, "advice"))
        printf("  %s\n", value_text(facts, "advice"));
}

enum cli_exit
why_run(struct cli *cli, const struct args *args)
{
    json_t *facts;
    int64_t id;
    bool found;

    if (!cli_job_id(cli, args->words[0], &id) || (facts = why_ask(cli, id)) == NULL)
        return cli->status;
    found = strcmp(value_text(facts, "reason"), "unknown") != 0;
    if (cli->json) {
        out_json(cli, facts);
        return found ? CLI_DONE : CLI_NOT_DONE;
    }
    print(cli, facts);
    json_decref(facts);
    return found ? CLI_DONE : CLI_NOT_DONE;
}
