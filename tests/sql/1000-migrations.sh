#!/usr/bin/env bash
# The migrations on plain PostgreSQL, by an owner who is no superuser.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"

# The whole schema as text; the order of grants does not matter.
schema_text() {
    pg_dump -s | grep -v '^\\\(un\)\?restrict' | sort
}

pg_start
sql 'create role owner login createrole'
sql 'create role stranger login'
for db in app foreign_jobs half; do
    sql "create database $db owner owner"
done
export PGUSER=owner PGDATABASE=app

is "$(sql 'select rolsuper from pg_roles where rolname = current_user')" f 'the owner is no superuser'
is "$(sqlstate_of "$(cat "$repo/migrations/004_create_jobs_table.sql")")" 42704 '004 before 000 is refused'
is "$(sql "select to_regclass('public.jobs') is null and to_regnamespace('pgcrew') is null")" t \
    'and changes nothing'
ok '000 runs' apply "$repo/migrations/000_plain_postgres.sql"
is "$(sqlstate_of "$(cat "$repo/migrations/005_queue_functions.sql")")" 42P01 '005 before 004 is refused'
ok '004 runs' apply "$repo/migrations/004_create_jobs_table.sql"
is "$(sql "select obj_description('public.jobs'::regclass)")" 'pgcrew job queue; schema version 4' \
    'after 004 the version is 4'
ok '005 runs' apply "$repo/migrations/005_queue_functions.sql"
is "$(sql "select obj_description('public.jobs'::regclass)")" 'pgcrew job queue; schema version 5' \
    'after 005 the version is 5'
is "$(sqlstate_of "$(cat "$repo/migrations/006_schedules.sql")" -d half)" 42P01 '006 before 005 is refused'
ok '006 runs' apply "$repo/migrations/006_schedules.sql"
is "$(sql "select obj_description('public.jobs'::regclass)")" 'pgcrew job queue; schema version 6; programs since 5' \
    'after 006 the version is 6, and programs of 5 fit'
is "$(sql "select obj_description('public.jobs'::regclass)" -U stranger)" 'pgcrew job queue; schema version 6; programs since 5' \
    'a role without any right can read the version'
is "$(sql 'select version, file from pgcrew.migrations order by 1' -F ' ')" \
    '0 000_plain_postgres.sql
4 004_create_jobs_table.sql
5 005_queue_functions.sql
6 006_schedules.sql' \
    'all four are written down'

schema_text >"$pg_dir/before"
id=$(sql "insert into jobs (kind) values ('kept') returning id")
ok 'all of them run again' migrate
is "$(schema_text | diff "$pg_dir/before" -)" '' 'nothing is different then'
is "$(sql "select obj_description('public.jobs'::regclass)")" 'pgcrew job queue; schema version 6; programs since 5' \
    'and the version does not go back'
is "$(sql "select status from jobs where id = $id")" queued 'and the jobs are still there'
ok 'statement by statement works too' psql -Xq -v ON_ERROR_STOP=1 \
    -f "$repo/migrations/000_plain_postgres.sql" -f "$repo/migrations/004_create_jobs_table.sql" -f "$repo/migrations/005_queue_functions.sql" \
    -f "$repo/migrations/006_schedules.sql"

is "$(sql "select count(*), count(*) filter (where relrowsecurity) from pg_class
             where relkind = 'r' and (relnamespace = 'pgcrew'::regnamespace or oid = 'public.jobs'::regclass)" -F ' ')" '13 13' \
    'row level security is on for every table'
is "$(sql "select p.oid::regprocedure from pg_proc p
             where p.pronamespace = 'pgcrew'::regnamespace and has_function_privilege('pgcrew_worker', p.oid, 'execute')
               and not 'search_path=pg_catalog, pg_temp' = any (p.proconfig)")" '' \
    'every function of a worker runs with a search path of its own'
is "$(sql "select p.proname from pg_proc p
             where p.pronamespace = 'pgcrew'::regnamespace and has_function_privilege('pgcrew_worker', p.oid, 'execute')
               and not p.prosecdef order by 1" | xargs)" 'place run_sql' \
    'and as the owner, but for arithmetic and for the one that runs the functions of handlers'
is "$(sql "select string_agg(distinct a.attname, ' ' order by a.attname) from pg_index i
              join pg_depend d on d.objid = i.indexrelid and d.classid = 'pg_class'::regclass and d.refobjid = i.indrelid
              join pg_attribute a on a.attrelid = i.indrelid and a.attnum = d.refobjsubid
             where i.indrelid = 'public.jobs'::regclass and not i.indisprimary")" 'batch_id id user_id' \
    'no index of jobs names a column that changes'

# Somebody else's table of that name.
export PGDATABASE=foreign_jobs
sql "create table public.jobs (id int, title text); comment on table public.jobs is 'open positions'"
sql "insert into jobs values (1, 'baker')"
schema_text >"$pg_dir/before"
for file in "$repo"/migrations/[0-9]*.sql; do
    is "$(sqlstate_of "$(cat "$file")")" \
        "$(case $file in *005* | *006*) echo 42P01 ;; *) echo 42P07 ;; esac)" \
        "a foreign jobs table is refused by ${file##*/}"
done
is "$(schema_text | diff "$pg_dir/before" -)" '' 'nothing was changed there'
is "$(sql 'table jobs' -F ' ')" '1 baker' 'least of all its rows'

# An error in the middle of one paste leaves nothing.
export PGDATABASE=half
apply "$repo/migrations/000_plain_postgres.sql" >/dev/null
is "$(sqlstate_of "$(cat "$repo/migrations/004_create_jobs_table.sql"); select 1/0")" 22012 \
    'a paste that fails at its end'
is "$(sql "select to_regclass('public.jobs') is null")" t 'leaves nothing behind'

# Two at once, as two people do it.
(migrate >"$pg_dir/one" 2>&1; echo $? >>"$pg_dir/one") &
(migrate >"$pg_dir/two" 2>&1; echo $? >>"$pg_dir/two") &
wait
is "$(tail -qn 1 "$pg_dir/one" "$pg_dir/two" | xargs)" '0 0' 'two migrations at once both succeed'

done_testing
