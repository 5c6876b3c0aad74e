"""Wall clocks that jump, by up to two hours, and back."""

from environment.clock import MOST_S
from faults.fault import Fault, Hit


class Jump(Fault):
    hold_s = (0.5, 6)
    weight = 6

    def jump(self, clock, rng):
        seconds = rng.choice([-MOST_S, MOST_S, rng.randint(-MOST_S, MOST_S), rng.randint(-10, 10)])
        self.clock = clock
        clock.jump(seconds)
        return f"{seconds:+d} s"

    def lift(self, world):
        self.clock.jump(0)


class HostJump(Jump):
    name = "host clock jump"
    worlds = ("host clock",)
    touches = "host clock"

    def apply(self, world, rng):
        daemon = self.a_daemon(world, rng)
        if daemon is None:
            return None
        return Hit(f"{daemon.name} {self.jump(world.of_daemon[daemon.number], rng)}", [daemon])


class ServerJump(Jump):
    name = "server clock jump"
    worlds = ("server clock",)
    touches = "server clock"

    def apply(self, world, rng):
        return Hit(self.jump(world.clock, rng), world.daemons)
