/*
 * Checks of the schema: version, what this login may do, what others may.
 */
#include <stdio.h>
#include <string.h>

#include "cli/doctor.h"
#include "cli/values.h"
#include "db/db.h"
#include "sqltext.h"

void
doctor_check_schema(struct doctor *d)
{
    const char *comment = value_text(d->facts, "comment");
    int wanted = migrations[n_migrations - 1].version, version, oldest;

    if (!json_is_true(json_object_get(d->facts, "has_jobs"))) {
        doctor_say(d, DOCTOR_ERROR, "pgcrew migrate; or is this the wrong database?",
                   "there is no table public.jobs in database '%s'",
                   value_text(d->facts, "database"));
        return;
    }
    if (!db_read_schema(comment, &version, &oldest)) {
        doctor_say(d, DOCTOR_ERROR, "rename it, then pgcrew migrate",
                   "the table public.jobs was not made by pgcrew");
        return;
    }
    d->has_schema = version >= wanted;
    if (version < wanted)
        doctor_say(d, DOCTOR_ERROR, "pgcrew migrate",
                   "the schema has version %d, this pgcrew wants %d", version, wanted);
    else if (version > wanted && oldest <= wanted)
        doctor_say(d, DOCTOR_WARN, "install the newer pgcrew on this host, too",
                   "the schema has version %d, this pgcrew is of %d and works with it", version,
                   wanted);
    else if (version > wanted)
        doctor_say(d, DOCTOR_ERROR, "install the newer pgcrew on this host",
                   "the schema has version %d, this pgcrew knows %d", version, wanted);
    else
        doctor_say(d, DOCTOR_OK, NULL, "the schema has version %d", version);
}

/* A statement that returns a row for each fault; fine is said when there is none. */
static void
say_faults(struct doctor *d, const char *sql, const char *fine)
{
    json_t *rows, *row;
    struct err err;
    size_t i;

    if (!cli_try_query(d->cli, sql, NULL, &rows, &err)) {
        doctor_say(d, DOCTOR_ERROR, NULL, "cannot be checked: %s", err.text);
        return;
    }
    json_array_foreach(rows, i, row)
    {
        bool is_warning = strcmp(value_text(row, "level"), "warn") == 0;

        doctor_say(d, is_warning ? DOCTOR_WARN : DOCTOR_ERROR, value_text(row, "fix"), "%s",
                   value_text(row, "finding"));
    }
    if (json_array_size(rows) == 0)
        doctor_say(d, DOCTOR_OK, NULL, "%s", fine);
    json_decref(rows);
}

void
doctor_check_login(struct doctor *d)
{
    say_faults(d, sql_cli_doctor_login, "this login may work off jobs and sees all of them");
}

void
doctor_check_rules(struct doctor *d)
{
    say_faults(d, sql_cli_doctor_rules, "users see their own jobs only; nothing is open to anon");
}
