/*
 * why: the one reason that keeps a job from starting or ending.  The database
 * finds the reason (why.sql); the sentences are here.
 */
#include "cli/why.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/out.h"
#include "cli/values.h"
#include "sqltext.h"

#define COUNT_AHEAD_MAX 10000

/*
 * In the sentences {field} stands for a field of the answer.  Reasons that are
 * an end or progress need no advice.
 */
static const struct reason {
    const char *name;
    const char *text;
    const char *advice;
    enum out_colour colour;
} reasons[] = {
    /* clang-format off */
    {"succeeded",    "it succeeded at {finished_at}", NULL, OUT_GREEN},
    {"failed",       "it failed at {finished_at}: {error}",
                     "{last_advice}pgcrew job log {id} shows each attempt, pgcrew job retry {id} queues it again", OUT_RED},
    {"quarantined",  "it was taken out because the workers that ran it died: {error}",
                     "pgcrew job log {id} shows each death; mend the handler, then pgcrew job retry {id}", OUT_RED},
    {"cancelled",    "it was cancelled at {finished_at}", "pgcrew job retry {id} queues it again", OUT_YELLOW},
    {"holder_lost",  "the worker that claimed it does not report any more",
                     "it is given back as soon as a daemon is alive: start pgcrewd, or look at pgcrew workers", OUT_YELLOW},
    {"cancel_asked", "its cancellation was asked for; worker {slot} on {host} is ending it", NULL, OUT_YELLOW},
    {"running",      "it is running: worker {slot} on {host} claimed it at {claimed_at}", NULL, OUT_BLUE},
    {"claimed",      "worker {slot} on {host} claimed it at {claimed_at}; it runs or is about to", NULL, OUT_BLUE},
    {"retry_wait",   "it waits until {due_at} to be tried again; in the last attempt {last_did}: {last_error}",
                     "{last_advice}pgcrew job log {id} shows each attempt", OUT_YELLOW},
    {"snoozed",      "its handler asked to be run again at {due_at}; that is not charged", NULL, OUT_BLUE},
    {"no_start",     "what runs the kind '{kind}' is missing or broken: {last_error}; tried again at {due_at}, not charged",
                     "mend the handler on the hosts that have it; pgcrewd --check looks at its program", OUT_RED},
    {"scheduled",    "it is to start at {due_at}", NULL, OUT_BLUE},
    {"astray",       "it is queued, but in no table that workers look at",
                     "this happens when rows of jobs are changed by hand; pgcrew job cancel {id}, then pgcrew job retry {id}", OUT_RED},
    {"no_worker",    "no worker of any host is alive", "start the daemon: systemctl start pgcrew, then pgcrew ping --db", OUT_RED},
    {"no_queue",     "no live worker serves the queue '{queue}'",
                     "add it to queue.names in the configuration of a host, then pgcrew reload", OUT_RED},
    {"no_handler",   "no live worker of the queue '{queue}' has a handler for the kind '{kind}'",
                     "add it to handlers in the configuration of a host, then pgcrew reload", OUT_RED},
    {"paused",       "it is ready, but its queue '{queue}' is paused since {paused_at}, by {paused_by}",
                     "pgcrew queue resume {queue}", OUT_YELLOW},
    {"due",          "its time has come; the janitor is about to make it ready",
                     "if this stays so for seconds, look at pgcrew workers: is a janitor connected?", OUT_BLUE},
    {"busy",         "all {workers} workers that could take it are busy; {ahead} jobs are ahead of it",
                     "pgcrew scale N starts more workers on this host", OUT_YELLOW},
    {"stalled",      "it is ready and {workers} workers could take it, but do not: {stall}",
                     "see STALLS in pgcrewd(8), and pgcrew doctor for what of the server may be the reason", OUT_RED},
    {"next",         "it is ready and a worker is free: it should start within the poll interval", NULL, OUT_GREEN},
    {"unknown",      "there is no job with this id in this database",
                     "pgcrew doctor shows which database this is", OUT_RED},
    /* clang-format on */
};

/*
 * What happened in the last attempt of a job that waits or has failed, and what to do about
 * a cause that is not plainly an error of the handler: {last_did} and {last_advice} above.
 */
static const struct cause {
    const char *name;
    const char *did;
    const char *advice;
} causes[] = {
    /* clang-format off */
    {"failed",      "its handler failed", ""},
    {"permanent",   "its handler said that it is of no use to try again", ""},
    {"tempfail",    "its handler asked for another try", ""},
    {"signal",      "its handler was ended by a signal", ""},
    {"timeout",     "its handler took longer than it may", "its handler's timeout may be too short; "},
    {"oom",         "the kernel ended its handler for its memory",
                    "the handler needs less memory, or its kind a larger memory limit; "},
    {"limit",       "its handler reached a limit of its kind",
                    "the handler needs less, or its kind a larger limit; "},
    {"protocol",    "the program broke the protocol of pgcrew-handler(7)", "the program has to be mended; "},
    {"no_start",    "its handler could not be started", "mend the handler on the hosts that have it; "},
    {"worker_died", "the worker that ran it died", ""},
    {"host_lost",   "the host that ran it, or the daemon there, was lost", ""},
    /* clang-format on */
};

static const struct cause *
find_cause(const char *name)
{
    for (size_t i = 0; i < LENGTH(causes); i++) {
        if (strcmp(causes[i].name, name) == 0)
            return &causes[i];
    }
    return NULL;
}

static const struct reason *
find_reason(const char *name)
{
    for (size_t i = 0; i < LENGTH(reasons); i++) {
        if (strcmp(reasons[i].name, name) == 0)
            return &reasons[i];
    }
    return NULL;
}

static bool
is_time(const char *field)
{
    size_t len = strlen(field);

    return len > 3 && strcmp(field + len - 3, "_at") == 0;
}

/* The sentence with its {fields} filled in; NULL stays null. */
static json_t *
fill_in(const char *text, const json_t *facts)
{
    AUTO(buf) struct buf filled = {0};

    if (text == NULL)
        return json_null();
    while (*text != '\0') {
        size_t plain = strcspn(text, "{"), len;
        char field[32];

        buf_add(&filled, text, plain);
        text += plain;
        if (*text == '\0')
            break;
        len = strcspn(text, "}");
        snprintf(field, sizeof(field), "%.*s", (int)len - 1, text + 1);
        out_value(&filled, json_object_get(facts, field),
                  is_time(field) ? COLUMN_TIME : COLUMN_TEXT);
        text += len + 1;
    }
    return json_string(buf_text(&filled));
}

/* The sentences, into the facts. */
static void
explain(const struct reason *reason, json_t *facts)
{
    const char *name = value_text(facts, "last_cause");
    const struct cause *cause = find_cause(name);

    json_object_set_new(facts, "last_did", json_string(cause != NULL ? cause->did : name));
    json_object_set_new(facts, "last_advice", json_string(cause != NULL ? cause->advice : ""));
    json_object_set_new(facts, "text", fill_in(reason->text, facts));
    json_object_set_new(facts, "advice", fill_in(reason->advice, facts));
    json_object_del(facts, "last_did");
    json_object_del(facts, "last_advice");
}

json_t *
why_ask(struct cli *cli, int64_t job_id)
{
    AUTO(result) PGresult *res = NULL;
    const struct reason *reason;
    struct params p;
    json_t *facts;

    params_init(&p);
    param_int8(&p, job_id);
    param_int8(&p, COUNT_AHEAD_MAX);
    res = cli_query(cli, sql_cli_why, &p);
    if (res == NULL)
        return NULL;
    facts = PQntuples(res) > 0
                ? value_from_row(res, 0)
                : json_pack("{s:I, s:s}", "id", (json_int_t)job_id, "reason", "unknown");
    reason = find_reason(value_text(facts, "reason"));
    if (reason == NULL) {
        cli_failf(cli, CLI_NOT_DONE, "unknown reason '%s'", value_text(facts, "reason"));
        json_decref(facts);
        return NULL;
    }
    explain(reason, facts);
    return facts;
}

static void
print(const struct cli *cli, const json_t *facts)
{
    const struct reason *reason = find_reason(value_text(facts, "reason"));

    printf("job %" PRId64 ": %s%s%s\n", value_int(facts, "id"),
           out_colour(cli, reason != NULL ? reason->colour : OUT_PLAIN), value_text(facts, "text"),
           out_colour(cli, OUT_PLAIN));
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
