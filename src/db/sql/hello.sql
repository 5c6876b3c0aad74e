-- hello: what this session is.  Runs first, also behind a transaction pooler.
-- The comment of public.jobs carries the schema version; anybody may read it.
select pg_backend_pid(),
       pg_is_in_recovery(),
       current_setting('server_version_num')::int,
       to_regclass('public.jobs') is not null,
       coalesce(obj_description(to_regclass('public.jobs'), 'pg_class'), ''),
       current_user::text
