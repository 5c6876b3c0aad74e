-- migrate_state: what is in this database, readable by any login.
select coalesce(obj_description(to_regclass('public.jobs'), 'pg_class'), '') as comment,
       to_regclass('public.jobs') is not null as has_jobs,
       exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = 'pgcrew' and c.relname = 'migrations') as has_list,
       exists (select from pg_roles where rolname = 'supabase_auth_admin') as is_supabase,
       (select count(*) from pg_roles where rolname in ('anon', 'authenticated', 'service_role')) = 3
         and exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                      where n.nspname = 'auth' and p.proname = 'uid') as has_names
