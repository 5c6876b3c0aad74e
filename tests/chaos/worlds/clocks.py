"""Clocks that jump: those of the daemons, or that of the server."""

from environment import clock
from environment.clock import Clock
from harness.cluster import Cluster
from worlds.world import World


class Clocks(World):
    @classmethod
    def why_not(cls):
        return clock.why_not()

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
        faked = ["env", *(f"{name}={value}" for name, value in self.clock.environment().items())]
        self.cluster = Cluster(f"{self.home}/pg", prefix=faked)
        self.cluster.make()
        self.cluster.start()

    def clocks(self):
        return [self.clock]
