-- doctor_facts: what this connection and this database are, readable by any login.
select current_database()::text as database, current_user::text as "user",
       session_user::text as login, pg_backend_pid() as backend_pid,
       pg_is_in_recovery() as is_replica, current_setting('server_version') as server,
       to_regclass('public.jobs') is not null as has_jobs,
       coalesce(obj_description(to_regclass('public.jobs'), 'pg_class'), '') as comment
