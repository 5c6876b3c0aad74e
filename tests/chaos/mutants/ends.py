"""Ends that come too early, too late, to the wrong ones, or not for good."""

from mutants.mutant import Mutant, Rewritten


class NeverGivesUp(Mutant):
    """A job that has failed starts anew by itself."""

    name = "never gives up"
    kinds = ("hopeless", "never")
    caught_by = ("ended more than once",)

    def apply(self, world):
        world.run_sql("""
create function chaos.anew() returns trigger language plpgsql security definer as $fn$
begin
  perform pgcrew.retry_jobs(array[new.id]);
  return null;
end
$fn$;
create trigger z_anew after update of status on public.jobs
  for each row when (new.status = 'failed') execute function chaos.anew();""")


class OneAttemptMore(Rewritten):
    """Attempts are counted from nought."""

    name = "one attempt more"
    kinds = ("hopeless", "quick")
    caught_by = ("too many attempts",)
    function = "pgcrew.finish_others"
    text = "j.attempts + 1 >= j.max_attempts"
    by = "j.attempts >= j.max_attempts"


class OneAttemptLess(Rewritten):
    """The last attempt is never made."""

    name = "one attempt less"
    kinds = ("hopeless", "quick")
    caught_by = ("failed without reason",)
    function = "pgcrew.finish_others"
    text = "j.attempts + 1 >= j.max_attempts"
    by = "j.attempts + 2 >= j.max_attempts"


class CancelsAnother(Rewritten):
    """Who cancels one job cancels the next that waits along with it."""

    name = "cancels another"
    caught_by = ("cancelled unasked",)
    function = "pgcrew.cancel_jobs"
    text = "unnest(p_ids) i where i is not null order by i"
    by = ("unnest(p_ids || array(select s.job_id from pgcrew.scheduled s order by s.run_at desc limit 1)) i "
          "where i is not null order by i")
