/*
 * doctor: one check after the other, each a row of the table below, each one
 * line or more: ok, warn or error, what was found and what to do.
 */
#include "cli/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/out.h"
#include "cli/tokens.h"
#include "cli/values.h"
#include "cli/why.h"

const struct cli_option doctor_options[] = {
    {.name = "job", .value = "ID", .help = "also say why this job has not started or ended"},
    {.name = "token",
     .value = "TOKEN",
     .help = "also look at the access token of a user (-: standard input)",
     .is_secret = true},
    {.name = NULL},
};

enum needs { NEEDS_NOTHING, NEEDS_CONF, NEEDS_DATABASE, NEEDS_SCHEMA };

static const struct {
    const char *name;
    enum needs needs;
    void (*run)(struct doctor *d);
} checks[] = {
    /* clang-format off */
    {"configuration", NEEDS_NOTHING,  doctor_check_configuration},
    {"API key",       NEEDS_CONF,     doctor_check_key},
    {"database",      NEEDS_CONF,     doctor_check_database},
    {"pooler",        NEEDS_DATABASE, doctor_check_pooler},
    {"encryption",    NEEDS_DATABASE, doctor_check_tls},
    {"schema",        NEEDS_DATABASE, doctor_check_schema},
    {"login",         NEEDS_SCHEMA,   doctor_check_login},
    {"users",         NEEDS_SCHEMA,   doctor_check_rules},
    {"health",        NEEDS_SCHEMA,   doctor_check_health},
    {"daemon",        NEEDS_CONF,     doctor_check_daemon},
    {"gateway",       NEEDS_CONF,     doctor_check_gateway},
    {"dashboard",     NEEDS_CONF,     doctor_check_dashboard},
    {"workers",       NEEDS_SCHEMA,   doctor_check_workers},
    {"waiting jobs",  NEEDS_SCHEMA,   doctor_check_waiting},
    /* clang-format on */
};

static const char *const level_names[] = {
    [DOCTOR_OK] = "ok",
    [DOCTOR_WARN] = "warn",
    [DOCTOR_ERROR] = "error",
};

static void
print_finding(const struct doctor *d, const char *level, const char *finding, const char *fix)
{
    printf("%s%-5s%s  %-13s  ", out_colour(d->cli, out_status_colour(level)), level,
           out_colour(d->cli, OUT_PLAIN), d->check);
    out_printable(stdout, finding, false);
    if (fix != NULL) {
        fputs("\n                      -> ", stdout);
        out_printable(stdout, fix, false);
    }
    putchar('\n');
    fflush(stdout);
}

void
doctor_say(struct doctor *d, enum doctor_level level, const char *fix, const char *format, ...)
{
    char finding[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(finding, sizeof(finding), format, args);
    va_end(args);
    d->n[level]++;
    json_array_append_new(d->findings,
                          json_pack("{s:s, s:s, s:s, s:s?}", "check", d->check, "level",
                                    level_names[level], "finding", finding, "fix", fix));
    if (!d->cli->json)
        print_finding(d, level_names[level], finding, fix);
}

static bool
can_run(const struct doctor *d, enum needs needs)
{
    switch (needs) {
    case NEEDS_NOTHING:
        return true;
    case NEEDS_CONF:
        return d->cli->conf != NULL;
    case NEEDS_DATABASE:
        return d->has_database;
    case NEEDS_SCHEMA:
        return d->has_schema;
    }
    return false;
}

/* The reason of one job as a check of its own. */
static json_t *
check_job(struct doctor *d, int64_t id)
{
    const char *reason;
    json_t *facts;
    bool is_bad;

    d->check = "job";
    facts = why_ask(d->cli, id);
    if (facts == NULL)
        return NULL;
    reason = value_text(facts, "reason");
    is_bad = strcmp(reason, "unknown") == 0 || strncmp(reason, "no_", 3) == 0 ||
             strcmp(reason, "stalled") == 0 || strcmp(reason, "astray") == 0 ||
             strcmp(reason, "quarantined") == 0;
    doctor_say(d, is_bad ? DOCTOR_ERROR : DOCTOR_OK,
               value_is_set(facts, "advice") ? value_text(facts, "advice") : NULL,
               "job %" PRId64 ": %s", id, value_text(facts, "text"));
    return facts;
}

static void
run_checks(struct doctor *d)
{
    for (size_t i = 0; i < LENGTH(checks); i++) {
        d->check = checks[i].name;
        if (can_run(d, checks[i].needs))
            checks[i].run(d);
    }
}

static void
print_sum(const struct doctor *d, json_t *job)
{
    if (d->cli->json)
        out_json(d->cli,
                 json_pack("{s:I, s:I, s:O, s:O?}", "errors", (json_int_t)d->n[DOCTOR_ERROR],
                           "warnings", (json_int_t)d->n[DOCTOR_WARN], "checks", d->findings, "job",
                           job));
    else
        printf("%zu errors, %zu warnings\n", d->n[DOCTOR_ERROR], d->n[DOCTOR_WARN]);
}

enum cli_exit
doctor_run(struct cli *cli, const struct args *args)
{
    const char *word = args_value(args, "job"), *token = args_value(args, "token");
    struct doctor d = {.cli = cli, .findings = json_array()};
    json_t *job = NULL;
    int64_t id = 0;

    if (token != NULL)
        token = tokens_read(cli, token);
    if ((word != NULL && !cli_job_id(cli, word, &id)) ||
        (args_has(args, "token") && token == NULL)) {
        json_decref(d.findings);
        return cli->status;
    }
    run_checks(&d);
    /* Last, so that it stands next to the prompt; only where it can be asked. */
    if (word != NULL && d.has_schema)
        job = check_job(&d, id);
    if (token != NULL)
        doctor_check_token(&d, token, job);
    print_sum(&d, job);
    json_decref(job);
    json_decref(d.facts);
    json_decref(d.findings);
    return d.n[DOCTOR_ERROR] > 0 ? CLI_NOT_DONE : CLI_DONE;
}
