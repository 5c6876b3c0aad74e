"""Jobs that do not get in as they were asked for."""

from mutants.mutant import Mutant


class LostEnqueue(Mutant):
    """An acknowledged job is not kept."""

    name = "lost enqueue"
    caught_by = ("lost",)

    def apply(self, world):
        world.run_sql("""
create function chaos.lose() returns trigger language plpgsql security definer as $fn$
begin
  delete from public.jobs where id in (select n.id from new_jobs n where n.id % 40 = 7);
  return null;
end
$fn$;
create trigger z_lose after insert on public.jobs referencing new table as new_jobs
  for each statement execute function chaos.lose();""")


class ForgottenEnqueue(Mutant):
    """An acknowledged job is kept, and nobody is told to run it."""

    name = "forgotten enqueue"
    kinds = ("quick", "part", "record")
    caught_by = ("not ended",)
    seconds = 4
    at_end = True

    def apply(self, world):
        world.run_sql("""
create function chaos.forget() returns trigger language plpgsql security definer as $fn$
begin
  delete from pgcrew.ready where job_id in (select n.id from new_jobs n where n.id % 40 = 7);
  return null;
end
$fn$;
create trigger z_forget after insert on public.jobs referencing new table as new_jobs
  for each statement execute function chaos.forget();""")


class EnqueuedTwice(Mutant):
    """An enqueue makes a job more than it was asked for, now and then."""

    name = "enqueued twice"
    caught_by = ("never enqueued",)

    def apply(self, world):
        world.run_sql("""
create function chaos.twice() returns trigger language plpgsql security definer as $fn$
begin
  if pg_trigger_depth() = 1 then
    insert into public.jobs (kind, payload, priority, max_attempts, run_at)
    select n.kind, n.payload, n.priority, n.max_attempts, n.run_at from new_jobs n where n.id % 40 = 7;
  end if;
  return null;
end
$fn$;
create trigger z_twice after insert on public.jobs referencing new table as new_jobs
  for each statement execute function chaos.twice();""")


class FreeKeys(Mutant):
    """A unique key is free again as soon as it was taken."""

    name = "free keys"
    kinds = ("slow",)
    caught_by = ("keys not unique",)

    def apply(self, world):
        world.run_sql("""
create function chaos.free_key() returns trigger language plpgsql security definer as $fn$
begin
  delete from pgcrew.unique_keys where job_id in (select n.id from new_jobs n);
  return null;
end
$fn$;
create trigger z_free_key after insert on public.jobs referencing new table as new_jobs
  for each statement execute function chaos.free_key();""")
