"""The primary is lost and its standby takes over."""

from faults.fault import Fault, Hit


class Failover(Fault):
    """lift() makes the lost one the new standby, so that it can happen again."""

    name = "failover"
    worlds = ("failover",)
    hold_s = (0.5, 4)
    weight = 6
    touches = "server"

    def apply(self, world, rng):
        if not world.cluster.is_running() or not world.replicas.counted_on:
            return None
        world.fail_over()
        return Hit(f"to {world.cluster.home.rsplit('/', 1)[-1]}", world.daemons)

    def lift(self, world):
        world.replicas.rebuild()
        world.replicas.count_on_standby()


class StandbyLost(Fault):
    """Commits have nobody to wait for, and wait until it is back."""

    name = "standby lost"
    worlds = ("failover",)
    hold_s = (0.5, 4)
    weight = 2
    touches = "server"

    def apply(self, world, rng):
        if not world.replicas.counted_on:
            return None
        world.replicas.standby.stop("immediate")
        return Hit("the standby", world.daemons)

    def lift(self, world):
        world.replicas.standby.start()
        world.replicas.count_on_standby()
