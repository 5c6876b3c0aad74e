#!/usr/bin/env bash
# The migrations in a Supabase project: its roles, its default privileges, old and new.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/supabase.sh"

for age in old new; do
    supabase_start "$age"
    is "$(sql 'select rolsuper from pg_roles where rolname = current_user')" f \
        "$age: postgres is no superuser"
    ok "$age: what is after 000 runs without it" apply "$repo/migrations/004_create_jobs_table.sql" \
        "$repo/migrations/005_queue_functions.sql" "$repo/migrations/006_schedules.sql"
    ok "$age: all of them run, again" migrate
    is "$(PGUSER=supabase_admin sql_as pgcrew_worker "select level || value from pgcrew.health() where name = 'sees_all_sessions'")" ok1 \
        "$age: the worker's health() sees all sessions, by the rights of postgres"
    is "$(sql "select nspowner::regrole from pg_namespace where nspname = 'auth'")" supabase_auth_admin \
        "$age: 000 has left auth alone"

    is "$(sql "select string_agg(c.oid::regclass || ' ' || p, ', ') from pg_class c,
                       unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) p
                 where c.relkind = 'r' and (c.relnamespace = 'pgcrew'::regnamespace or c.oid = 'public.jobs'::regclass)
                   and has_table_privilege('anon', c.oid, p)")" '' \
        "$age: anon may do nothing with any table"
    is "$(sql "select string_agg(c.oid::regclass || ' ' || p, ', ' order by p) from pg_class c,
                       unnest('{select,insert,update,delete,truncate,references,trigger}'::text[]) p
                 where c.relkind = 'r' and (c.relnamespace = 'pgcrew'::regnamespace or c.oid = 'public.jobs'::regclass)
                   and (has_table_privilege('authenticated', c.oid, p)
                        or p in ('select', 'insert', 'update', 'references') and has_any_column_privilege('authenticated', c.oid, p))")" \
        'jobs insert, jobs select' \
        "$age: a signed-in user may only read and insert"
    is "$(sql "select string_agg(attname, ' ' order by attname) from pg_attribute
                 where attrelid = 'public.jobs'::regclass and attnum > 0
                   and has_column_privilege('authenticated', attrelid, attnum, 'insert')")" 'batch_id kind payload run_at' \
        "$age: and insert these columns"
    is "$(sql "select string_agg(p.proname, ' ') from pg_proc p
                 where (p.pronamespace = 'pgcrew'::regnamespace or p.proname in ('enqueue_jobs', 'batch_status', 'cancel_batch'))
                   and has_function_privilege('anon', p.oid, 'execute')")" '' \
        "$age: functions for anon"
    is "$(sql "select string_agg(p.proname, ' ' order by p.proname) from pg_proc p
                 where (p.pronamespace = 'pgcrew'::regnamespace or p.proname in ('enqueue_jobs', 'batch_status', 'cancel_batch'))
                   and has_function_privilege('authenticated', p.oid, 'execute')")" 'batch_status cancel_batch enqueue_jobs' \
        "$age: functions for a signed-in user"
    is "$(sql "select string_agg(r, ' ') from unnest('{anon,authenticated,service_role,pgcrew_worker,pgcrew_gateway}'::text[]) r
                 where has_column_privilege(r, 'public.jobs', 'status', 'update')")" '' \
        "$age: nobody may update the status"
    is "$(sqlstate_of 'set role pgcrew_worker; select from auth.users' -U supabase_admin)" 42501 \
        "$age: the worker sees nothing else of the project"
    pg_cleanup
done

done_testing
