"""Jobs that are done in name only, or twice."""

from mutants.mutant import Mutant, Rewritten


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
