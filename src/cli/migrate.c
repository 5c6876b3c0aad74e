/*
 * migrate: bring the schema of the database to that of this tool.
 *
 * The files are inside the tool (sqltext.h).  Each is applied in a transaction
 * of its own that holds the lock the files take too, and looks again what has
 * been applied once it has the lock: two tools at once do no harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/migrate_files.h"
#include "cli/out.h"
#include "cli/values.h"
#include "db/db.h"
#include "sqltext.h"

const struct cli_option migrate_options[] = {
    {.name = "supabase",
     .value = "DIR",
     .help = "write the files for a Supabase CLI project instead; no database is asked"},
    {.name = NULL},
};

static const struct column status_columns[] = {
    {.field = "version", .head = "VERSION", .kind = COLUMN_NUMBER},
    {.field = "file", .head = "FILE"},
    {.field = "state", .head = "STATE", .kind = COLUMN_STATUS},
    {.field = "applied_at", .head = "APPLIED", .kind = COLUMN_TIME},
    {.field = NULL},
};

/* What was found in the database. */
struct found {
    bool is_foreign;  /* a table public.jobs that is not ours */
    bool wants_names; /* plain PostgreSQL without the roles and auth.uid() */
    int version;      /* highest applied; -1: none */
    int commented;    /* what the comment says: version, and the oldest programs it is for */
    int oldest;
    json_t *list; /* rows of pgcrew.migrations */
};

static int
newest(void)
{
    return migrations[n_migrations - 1].version;
}

/* --- looking --------------------------------------------------------------------- */

static bool
find_list(struct session *db, struct found *ret, struct err *err)
{
    AUTO(result) PGresult *res = NULL;

    if (!session_run(db, sql_cli_migrate_list, NULL, &res, err))
        return false;
    ret->list = value_from_rows(res);
    for (int i = 0; i < PQntuples(res); i++) {
        int version = (int)row_int(res, i, 0);

        if (version > ret->version)
            ret->version = version;
    }
    return true;
}

static bool
find(struct session *db, struct found *ret, struct err *err)
{
    AUTO(result) PGresult *res = NULL;
    json_t *state;
    bool has_list, ours;

    *ret = (struct found){.version = -1};
    if (!session_run(db, sql_cli_migrate_state, NULL, &res, err))
        return false;
    state = value_from_row(res, 0);
    ours = db_read_schema(value_text(state, "comment"), &ret->commented, &ret->oldest);
    ret->is_foreign = json_is_true(json_object_get(state, "has_jobs")) && !ours;
    ret->wants_names = !json_is_true(json_object_get(state, "is_supabase")) &&
                       !json_is_true(json_object_get(state, "has_names"));
    has_list = json_is_true(json_object_get(state, "has_list"));
    json_decref(state);
    if (!ret->is_foreign && has_list)
        return find_list(db, ret, err);
    ret->list = json_array();
    return true;
}

static void
found_release(struct found *f)
{
    json_decref(f->list);
}

static const json_t *
find_applied(const struct found *f, int version)
{
    const json_t *row;
    size_t i;

    json_array_foreach(f->list, i, row)
    {
        if (value_int(row, "version") == version)
            return row;
    }
    return NULL;
}

/* The file for plain PostgreSQL is left out where its names exist already. */
static bool
is_wanted(const struct found *f, const struct migration *m)
{
    return find_applied(f, m->version) == NULL && (m->version > 0 || f->wants_names);
}

/* Newer than this tool, but it says that it is for us, too. */
static bool
is_newer_and_fits(const struct found *f)
{
    return f->commented == f->version && f->oldest <= newest();
}

static bool
check(const struct found *f, struct err *err)
{
    if (f->is_foreign)
        return err_set(err, ERR_CONFIG,
                       "the table public.jobs exists and was not made by pgcrew: rename it first; "
                       "nothing has been changed");
    if (f->version > newest() && !is_newer_and_fits(f))
        return err_set(err, ERR_CONFIG,
                       "the schema has version %d, this tool knows %d: install the newer pgcrew",
                       f->version, newest());
    return true;
}

/* --- up -------------------------------------------------------------------------- */

/* What a file has met, and become. */
struct applied {
    bool is_new;
    int version; /* of the schema, with it */
};

static bool
apply_locked(struct session *db, const struct migration *m, struct applied *ret, struct err *err)
{
    struct found f;

    if (!session_run(db, sql_cli_migrate_lock, NULL, NULL, err) || !find(db, &f, err))
        return false;
    if (!check(&f, err)) {
        found_release(&f);
        return false;
    }
    ret->is_new = is_wanted(&f, m);
    ret->version = f.version > m->version ? f.version : m->version;
    found_release(&f);
    if (ret->is_new && !session_script(db, m->text, err))
        return err_before(err, "%s", m->file);
    return true;
}

static bool
apply(struct session *db, const struct migration *m, struct applied *ret, struct err *err)
{
    if (!session_begin(db, err))
        return false;
    if (!apply_locked(db, m, ret, err)) {
        session_rollback(db);
        return false;
    }
    return session_commit(db, err);
}

static enum cli_exit
write_files(struct cli *cli, const char *dir)
{
    json_t *written;
    struct err err;

    if (!migrate_write_files(dir, &written, &err))
        return cli_fail(cli, CLI_NOT_DONE, &err);
    if (cli->json) {
        out_json(cli, json_pack("{s:o}", "written", written));
        return CLI_DONE;
    }
    for (size_t i = 0; i < json_array_size(written); i++) {
        printf("wrote ");
        out_printable(stdout, json_string_value(json_array_get(written, i)), false);
        putchar('\n');
    }
    puts(json_array_size(written) > 0 ? "next: supabase db push" : "all files are there already");
    json_decref(written);
    return CLI_DONE;
}

static void
say_version(int version)
{
    printf("the schema has version %d", version);
    if (version > newest())
        printf(", newer than this tool (%d), which works with it", newest());
    putchar('\n');
}

enum cli_exit
migrate_up(struct cli *cli, const struct args *args)
{
    struct applied last = {.version = newest()};
    json_t *applied;
    struct session *db;
    struct err err;

    if (args_has(args, "supabase"))
        return write_files(cli, args_value(args, "supabase"));
    if ((db = cli_database_as_login(cli)) == NULL)
        return cli->status;
    applied = json_array();
    for (size_t i = 0; i < n_migrations; i++) {
        if (!apply(db, &migrations[i], &last, &err)) {
            json_decref(applied);
            return cli_fail_database(cli, &err);
        }
        if (!last.is_new)
            continue;
        json_array_append_new(applied, json_string(migrations[i].file));
        if (!cli->json)
            printf("applied %s\n", migrations[i].file);
    }
    if (cli->json) {
        out_json(cli, json_pack("{s:o, s:i}", "applied", applied, "version", last.version));
        return CLI_DONE;
    }
    say_version(last.version);
    json_decref(applied);
    return CLI_DONE;
}

/* --- status ---------------------------------------------------------------------- */

static json_t *
status_row(const struct found *f, const struct migration *m)
{
    const json_t *applied = find_applied(f, m->version);
    const char *state = applied != NULL ? "applied" : is_wanted(f, m) ? "pending" : "not needed";

    return json_pack("{s:i, s:s, s:s, s:O?}", "version", m->version, "file", m->file, "state",
                     state, "applied_at", json_object_get(applied, "applied_at"));
}

/* Those of this tool, then those that only a newer one knows. */
static json_t *
status_rows(const struct found *f)
{
    json_t *rows = json_array(), *row;
    size_t i;

    for (i = 0; i < n_migrations; i++)
        json_array_append_new(rows, status_row(f, &migrations[i]));
    json_array_foreach(f->list, i, row)
    {
        if (value_int(row, "version") > newest())
            json_array_append_new(
                rows, json_pack("{s:O, s:O, s:s, s:O}", "version", json_object_get(row, "version"),
                                "file", json_object_get(row, "file"), "state", "newer",
                                "applied_at", json_object_get(row, "applied_at")));
    }
    return rows;
}

static bool
any_pending(const json_t *rows)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (strcmp(value_text(row, "state"), "pending") == 0)
            return true;
    }
    return false;
}

enum cli_exit
migrate_status(struct cli *cli, UNUSED const struct args *args)
{
    struct session *db = cli_database_as_login(cli);
    enum cli_exit status = CLI_DONE;
    struct found f;
    struct err err;
    json_t *rows;

    if (db == NULL)
        return cli->status;
    if (!find(db, &f, &err))
        return cli_fail_database(cli, &err);
    rows = status_rows(&f);
    if (cli->json)
        out_json(cli, json_pack("{s:o?, s:i, s:b, s:O}", "version",
                                f.version >= 0 ? json_integer(f.version) : NULL, "wanted", newest(),
                                "foreign", f.is_foreign, "migrations", rows));
    else
        out_table(cli, rows, status_columns);
    if (!check(&f, &err))
        status = cli_fail(cli, CLI_NOT_DONE, &err);
    else if (any_pending(rows))
        status = CLI_NOT_DONE;
    json_decref(rows);
    found_release(&f);
    return status;
}

/* --- print ----------------------------------------------------------------------- */

enum cli_exit
migrate_print(struct cli *cli, const struct args *args)
{
    json_t *files;

    if (args_has(args, "supabase"))
        return write_files(cli, args_value(args, "supabase"));
    files = json_array();
    for (size_t i = 0; i < n_migrations; i++) {
        if (!cli->json)
            printf("-- %s\n%s\n", migrations[i].file, migrations[i].text);
        json_array_append_new(files,
                              json_pack("{s:i, s:s, s:s}", "version", migrations[i].version, "file",
                                        migrations[i].file, "sql", migrations[i].text));
    }
    if (cli->json)
        out_json(cli, json_pack("{s:O}", "migrations", files));
    json_decref(files);
    return CLI_DONE;
}
