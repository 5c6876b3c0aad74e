"""Claims that are no fence."""

from mutants.mutant import Mutant, Rewritten


class NoFence(Rewritten):
    """finish() believes whoever asks."""

    name = "no fence"
    faults = ("ghost",)
    caught_by = ("finished by stale",)
    function = "pgcrew.finish"
    text = """return query select i, null::text, null::int, null::int, null::bigint from unnest(p_ids) i;
      return;"""
    by = "v_held := p_ids;"


class NoReaper(Mutant):
    """Nobody takes back what the dead have."""

    name = "no reaper"
    faults = ("kill supervisor", "kill worker")
    kinds = ("record",)
    caught_by = ("not ended",)
    seconds = 8
    at_end = True

    def apply(self, world):
        world.run_sql("""
create or replace function pgcrew.reap_expired(p_second_look boolean default false)
returns table (name text, slot int, jobs int) language sql as 'select null::text, 0, 0 where false';
create or replace function pgcrew.reap_process(p_process uuid, p_running bigint[], p_only boolean default false)
returns int language sql as 'select 0';""")


class EarlyReaper(Rewritten):
    """A lease is over when nobody has been heard of for a tenth of it."""

    name = "early reaper"
    faults = ("stop worker",)
    caught_by = ("reaped too early",)
    function = "pgcrew.reap_expired"
    text = ("+ x.lease < clock_timestamp()\n       and (not p_second_look or x.doubted_at >= x.seen_at "
            "and x.doubted_at + x.lease * 0.3 < clock_timestamp())")
    by = "+ x.lease / 10 < clock_timestamp()"


class DoubleClaim(Mutant):
    """Some jobs can be claimed again at once."""

    name = "double claim"
    caught_by = ("held twice",)

    def apply(self, world):
        world.run_sql("""
create function chaos.claim_again() returns trigger language plpgsql security definer as $fn$
begin
  insert into pgcrew.ready (place, job_id, user_id, queue, kind)
  select pgcrew.place(q.number, j.priority, j.id), j.id, j.user_id, j.queue, j.kind
    from public.jobs j join pgcrew.queues q on q.queue = j.queue
   where j.id = any (new.job_ids) and j.id % 20 = 0
     and not exists (select from chaos.leases l where l.what = 'left' and j.id = any (l.jobs));
  return null;
end
$fn$;
create trigger a_claim_again after insert on pgcrew.claims for each row execute function chaos.claim_again();""")


class CarelessRelease(Rewritten):
    """Who comes back with a new session gives back what it does not know, whoever holds it."""

    name = "careless release"
    faults = ("terminate one", "terminate storm")
    kinds = ("slow", "chat")
    caught_by = ("attempts overlap",)
    function = "pgcrew.release_unknown"
    text = "pgcrew.lock_claims(array[p_holder])"
    by = "array(select c.token from pgcrew.claims c order by c.token for update)"


class WrongToken(Rewritten):
    """A worker is told another token than that of its claim, now and then."""

    name = "wrong token"
    caught_by = ("ran without lease",)
    function = "pgcrew.claim"
    text = "select v_token, j.id"
    by = "select v_token + (j.id % 20 = 7)::int, j.id"
