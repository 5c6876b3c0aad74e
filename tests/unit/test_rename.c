/* A queue in a schema of its own: names of the real one do not get through. */
#include "db/rename.h"

#include "sqltext.h"
#include "tap.h"

static const char *
renamed(const char *sql)
{
    static struct buf text;

    buf_clear(&text);
    rename_queue(sql, "other", &text);
    return buf_text(&text);
}

static void
names(void)
{
    is_str(renamed("insert into public.jobs select pgcrew.f('pgcrew.ready')"),
           "insert into other.jobs select other.f('other.ready')",
           "both schemas, in quotes, too, where they qualify a name");
    is_str(renamed("where nspname = 'public' or nspname in ('pgcrew')"),
           "where nspname = 'other' or nspname in ('other')", "as a text of their own");
    is_str(renamed("revoke all on schema pgcrew from public"),
           "revoke all on schema other from public",
           "after the word schema; the role public stays");
    is_str(renamed("grant usage on schema\n  pgcrew to x"), "grant usage on schema\n  other to x",
           "on the next line, too");
    is_str(renamed("to pgcrew_worker, pgcrew_gateway; like 'pgcrew %'; my_pgcrew.x; auth.uid()"),
           "to pgcrew_worker, pgcrew_gateway; like 'pgcrew %'; my_pgcrew.x; auth.uid()",
           "other names that look like them stay");
    is_str(renamed("-- pgcrew: the tables\ncomment on table public.jobs is 'pgcrew job queue'"),
           "-- pgcrew: the tables\ncomment on table other.jobs is 'pgcrew job queue'",
           "and so do plain words");
    is_str(renamed(""), "", "nothing becomes nothing");
}

static void
signals(void)
{
    is_str(renamed("select pg_notify('pgcrew', 'ready'); listen pgcrew"),
           "select pg_notify('other', 'ready'); listen other", "the channel");
    is_str(renamed("notify pgrst, 'reload schema'"), "notify other, 'reload schema'",
           "who reads the other schemas is not told");
    is_str(renamed("pg_advisory_xact_lock(1885823858, 0), (1885823861, 1)"),
           "pg_advisory_xact_lock(1885823758, 0), (1885823761, 1)", "the classes of locks");
    is_str(renamed("select 18858238581, 188582385, x1885823858"),
           "select 18858238581, 188582385, x1885823858", "but no other number");
}

/* Statements of every kind of process. */
static void
everything(void)
{
    static const char *const statements[] = {
        sql_claim,   sql_finish,       sql_register,     sql_unregister,      sql_heartbeat,
        sql_promote, sql_reap_expired, sql_reap_process, sql_release_unknown, sql_report,
        sql_survey,  sql_run_sql,      sql_db_hello,     sql_db_listen,       sql_waits_for,
    };
    static const char *const real[] = {"public.",  " pgcrew.", "(pgcrew.",       "'pgcrew.",
                                       "'pgcrew'", "'public'", "schema pgcrew ", "listen pgcrew",
                                       "pgrst",    "18858238"};

    for (size_t i = 0; i < n_migrations; i++) {
        for (size_t j = 0; j < sizeof(real) / sizeof(real[0]); j++)
            ok(strstr(renamed(migrations[i].text), real[j]) == NULL, "%s has no %s",
               migrations[i].file, real[j]);
    }
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
        for (size_t j = 0; j < sizeof(real) / sizeof(real[0]); j++)
            ok(strstr(renamed(statements[i]), real[j]) == NULL, "statement %zu has no %s", i,
               real[j]);
    }
}

int
main(void)
{
    names();
    signals();
    everything();
    return done_testing();
}
