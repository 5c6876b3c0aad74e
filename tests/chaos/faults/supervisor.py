"""Whole daemons: killed, stopped and started, started a second time."""

from faults.fault import Fault, Hit


class KillSupervisor(Fault):
    name = "kill supervisor"
    hold_s = (0, 2)

    def apply(self, world, rng):
        self.daemon = self.a_daemon(world, rng)
        if self.daemon is None:
            return None
        hit = Hit(self.daemon.name, [self.daemon], self.daemon.tree())
        self.daemon.kill()
        return hit

    def lift(self, world):
        self.daemon.start()


class RestartSupervisor(Fault):
    name = "restart supervisor"
    hold_s = (0, 3)

    def apply(self, world, rng):
        self.daemon = self.a_daemon(world, rng)
        if self.daemon is None:
            return None
        hit = Hit(self.daemon.name, [self.daemon], self.daemon.tree())
        self.daemon.signal(15)
        return hit

    def lift(self, world):
        # It may be stopped by another fault: then it dies, as systemd would see to.
        self.daemon.stop(patience_s=5)
        self.daemon.start()
