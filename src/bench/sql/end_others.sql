-- end_others: sessions of this run whose processes have ended; the server may still work for them.
-- $1 text  what they are called
-- The lock of lock.sql is held: nobody else is called so in this database.
select count(pg_terminate_backend(a.pid))
  from pg_stat_activity a
 where a.application_name = $1::text and a.usename = current_user
   and a.datname = current_database() and a.pid <> pg_backend_pid()
