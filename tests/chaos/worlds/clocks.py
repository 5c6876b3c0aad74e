"""Clocks that jump: those of the daemons, or that of the server."""

from environment import clock
from environment.clock import MOST_S, Clock
from harness.cluster import Cluster
from worlds.sandboxed import Sandboxed

# The test's ledger goes by the true time: what the server thinks, less what it is ahead.
TRUE_TIME = """
create or replace function chaos.now() returns timestamptz
language plpgsql volatile security definer set search_path = '' as $fn$
declare
  v_ahead text;
  v_at timestamptz;
begin
  loop
    v_ahead := pg_read_file('{path}');
    v_at := clock_timestamp();
    exit when pg_read_file('{path}') = v_ahead;
  end loop;
  return v_at - v_ahead::int * interval '1 second';
end
$fn$;
"""


class Clocks(Sandboxed):
    needs = (clock,)

    def mend(self):
        for each in self.clocks():
            each.jump(0)
        super().mend()

    def clocks(self):
        raise NotImplementedError


class HostClocks(Clocks):
    name = "host clock"

    def set_up(self):
        self.of_daemon = {number: Clock(f"{self.home}/clock{number}")
                          for number in range(1, self.n_daemons + 1)}
        super().set_up()

    def clocks(self):
        return list(self.of_daemon.values())

    def daemon_env(self, number):
        return {**super().daemon_env(number), **self.of_daemon[number].environment()}


class ServerClock(Clocks):
    name = "server clock"

    def make_database(self):
        self.clock = Clock(f"{self.home}/clock")
        self.cluster = Cluster(f"{self.home}/pg", env=self.clock.environment())
        self.cluster.make()
        self.cluster.start()

    def set_up(self):
        super().set_up()
        self.run_sql(TRUE_TIME.format(path=self.clock.path))

    def mend(self):
        """What was put off by a clock that was ahead has to be due, too."""
        super().mend()
        self.clock.jump(2 * MOST_S)

    def clocks(self):
        return [self.clock]
