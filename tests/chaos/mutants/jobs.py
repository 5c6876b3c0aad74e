"""Jobs that are lost, done in name only, or counted wrongly."""

from mutants.mutant import Mutant, Rewritten


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
    caught_by = ("not ended",)

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


class EarlySuccess(Mutant):
    """Handlers answer before their effect."""

    name = "early success"
    caught_by = ("success without effect",)

    def apply(self, world):
        world.extra_env["CHAOS_MUTANT"] = "early"


class EffectTwice(Rewritten):
    """A SQL function has its effect twice now and then."""

    name = "effect twice"
    caught_by = ("not exactly once",)
    function = "chaos.record"
    text = "perform pg_sleep(random() * 0.1);"
    by = """if random() < 0.1 then
    insert into chaos.effects (at, xid, job, attempt)
    values (clock_timestamp(), txid_current(), current_setting('pgcrew.job_id')::bigint, 0);
  end if;"""


class BatchCounter(Rewritten):
    """batch_status counts one too many."""

    name = "batch counter"
    caught_by = ("batch is not the truth", "batch contradicts itself")
    function = "public.batch_status"
    text = "'succeeded', s.succeeded,"
    by = "'succeeded', s.succeeded + 1,"
