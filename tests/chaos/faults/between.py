"""What stands between daemons and the server."""

import signal

from faults.fault import Fault, Hit


class PoolerKilled(Fault):
    name = "pooler killed"
    worlds = ("transaction pooler", "session pooler")
    hold_s = (0, 3)
    weight = 6
    touches = "pooler"
    how = signal.SIGKILL

    def apply(self, world, rng):
        world.pooler.kill(self.how)
        return Hit("the pooler", world.daemons)

    def lift(self, world):
        world.pooler.start()


class PoolerStopped(PoolerKilled):
    """It ends at once, and says so to its clients."""

    name = "pooler stopped"
    how = signal.SIGTERM


class ProxyFault(Fault):
    worlds = ("proxy",)
    touches = "proxy"

    def harm(self, proxy, rng):
        raise NotImplementedError

    def apply(self, world, rng):
        return Hit(f"the proxy{self.harm(world.proxy, rng)}", world.daemons)

    def lift(self, world):
        world.proxy.heal()


class Delay(ProxyFault):
    name = "network delay"
    hold_s = (2, 8)
    weight = 4

    def harm(self, proxy, rng):
        seconds = rng.uniform(0.02, 0.6)
        proxy.delay(seconds)
        return f", {seconds * 1000:.0f} ms"


class Stall(ProxyFault):
    """Nothing passes and nothing ends, and TCP has nothing to complain of."""

    name = "network stall"
    hold_s = (0.5, 6)
    weight = 3

    def harm(self, proxy, rng):
        proxy.stall()
        return ""


class CutInside(ProxyFault):
    name = "cut inside a message"
    hold_s = (1, 5)
    weight = 4

    def harm(self, proxy, rng):
        between = rng.choice([20_000, 100_000])
        proxy.cut_often(between)
        return f", after about {between} bytes"


class DropAll(ProxyFault):
    name = "all connections dropped"
    weight = 3

    def harm(self, proxy, rng):
        proxy.drop_all()
        return ""
