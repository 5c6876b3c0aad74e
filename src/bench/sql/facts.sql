-- facts: may this login measure in this database, and what bears on the figures?
-- $1 text  the schema that is made for it
-- Catalogs, not to_regprocedure(): that refuses who may not use the schema auth.
select current_database()::text as database,
       current_user::text as login,
       current_setting('server_version') as server_version,
       pg_is_in_recovery() as is_replica,
       pg_backend_pid() as backend_pid,
       has_database_privilege(current_database(), 'create') as may_create,
       (select coalesce(jsonb_agg(r), '[]')
          from unnest(array['anon', 'authenticated', 'service_role', 'pgcrew_worker', 'pgcrew_gateway']) r
         where to_regrole(r) is null) as missing_roles,
       exists (select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                where n.nspname = 'auth' and p.proname = 'uid') as has_auth,
       coalesce((select has_schema_privilege(n.oid, 'usage') from pg_namespace n
                  where n.nspname = 'auth'), false) as may_use_auth,
       has_function_privilege('pg_current_wal_insert_lsn()', 'execute') as may_read_wal,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0)
         - (select count(*) from pg_stat_activity a where a.datid is not null)::int as free_connections,
       exists (select from pg_namespace n where n.nspname = $1::text) as has_schema,
       (select obj_description(n.oid, 'pg_namespace') from pg_namespace n where n.nspname = $1::text) as schema_comment,
       (select jsonb_object_agg(s.name, current_setting(s.name, true))
          from unnest(array['synchronous_commit', 'fsync', 'full_page_writes', 'wal_level', 'shared_buffers',
                            'max_wal_size', 'wal_buffers', 'commit_delay', 'synchronous_standby_names',
                            'wal_compression', 'autovacuum']) s (name)) as settings
