"""What a mutant is: it changes the world after the schema is there, before daemons start."""


class Mutant:
    name = ""
    faults = ()      # those that bring it to light
    kinds = ()       # of jobs, those that bring it to light; (): all
    caught_by = ()   # rules of the checker: each of them must see it
    seconds = 20     # so long it takes to be seen for sure; the run ends when it is
    at_end = False   # seen when all should have ended, not before: the run takes all its seconds

    def apply(self, world):
        raise NotImplementedError


class Rewritten(Mutant):
    """A function of the schema with one piece of its text replaced."""

    function = ""
    text = ""
    by = ""

    def apply(self, world):
        world.run_sql(f"""
do $mutant$
declare
  v_old text := pg_get_functiondef('{self.function}'::regproc);
  v_new text := replace(v_old, $text${self.text}$text$, $by${self.by}$by$);
begin
  if (v_new <> v_old) is not true then
    raise exception 'the mutant does not fit {self.function}';
  end if;
  execute v_new;
end
$mutant$;""")
