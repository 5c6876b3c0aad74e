-- Optional: changes of public.jobs through Supabase Realtime (postgres_changes).
--
-- Think first: every change is checked once for each subscriber, on one thread, and the
-- id of a deleted job goes to all of them.  Polling batch_status() every second or two
-- is cheaper for all but small numbers of users.
do $do$
begin
  if exists (select from pg_publication where pubname = 'supabase_realtime' and not puballtables)
     and not exists (select from pg_publication_tables
                      where pubname = 'supabase_realtime' and schemaname = 'public' and tablename = 'jobs') then
    alter publication supabase_realtime add table public.jobs;
  end if;
end
$do$;
