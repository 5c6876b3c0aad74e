/*
 * Why a job is where it is: the statement of the tool, the sentences of queue/why.h.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard/internal.h"
#include "queue/why.h"
#include "sqltext.h"

/* The tool reads columns; here all of them are one JSON object. */
static const struct statement *
statement(void)
{
    static struct statement why = {.name = "desk_why"};

    if (why.sql == NULL)
        why.sql = xasprintf("select row_to_json(w) from (%s) w", sql_cli_why);
    return &why;
}

void
why_ask_job(struct web_request *r, int64_t id, db_answer *answer)
{
    struct params p;

    params_init(&p);
    param_int8(&p, id);
    param_int8(&p, WHY_COUNT_AHEAD_MAX);
    ask_desk(r, DESK_QUICK, ASK_SHORT_MS, statement(), &p, answer);
}

static void
add_fact(void *facts, const char *name, struct buf *sink)
{
    const json_t *value = json_object_get(facts, name);

    if (json_is_string(value))
        buf_add_text(sink, json_string_value(value));
    else if (json_is_integer(value))
        buf_printf(sink, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        buf_add_text(sink, "-");
}

static void
add_string(struct buf *sink, const struct buf *text)
{
    json_t *string = text->len > 0 ? json_string(text->data) : NULL;
    char *shown = string != NULL ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

    buf_add_text(sink, shown != NULL ? shown : "null");
    free(shown);
    json_decref(string);
}

void
why_json(const PGresult *res, struct buf *sink)
{
    AUTO(buf) struct buf text = {0};
    AUTO(buf) struct buf advice = {0};
    json_t *facts = PQntuples(res) > 0 ? json_loads(row_text(res, 0, 0), 0, NULL) : NULL;
    const char *reason = json_string_value(json_object_get(facts, "reason"));
    const char *cause = json_string_value(json_object_get(facts, "last_cause"));

    if (reason != NULL)
        (void)!why_explain(reason, cause != NULL ? cause : "", add_fact, facts, &text, &advice);
    buf_add_text(sink, "\"why\":");
    add_string(sink, &text);
    buf_add_text(sink, ",\"advice\":");
    add_string(sink, &advice);
    json_decref(facts);
}
