"""No room on a disk."""

from faults.fault import Fault, Hit


class DatabaseDisk(Fault):
    """The server fails statements, or as a whole: then it is started when there is room again."""

    name = "database disk full"
    worlds = ("disk",)
    hold_s = (0.5, 5)
    weight = 8
    touches = "server"

    def apply(self, world, rng):
        left = rng.choice([0, 0, 64 << 10, 1 << 20])
        world.disk.fill(left)
        return Hit(f"{left >> 10} KiB left", world.daemons)

    def lift(self, world):
        world.disk.free()
        world.cluster.start()


class DaemonDisk(Fault):
    name = "daemon disk full"
    worlds = ("disk",)
    hold_s = (0.5, 6)
    weight = 8

    def apply(self, world, rng):
        daemon = self.a_daemon(world, rng)
        if daemon is None:
            return None
        self.volume = world.volumes[daemon.name]
        self.volume.fill()
        return Hit(f"log and temporary folder of {daemon.name}", [daemon])

    def lift(self, world):
        self.volume.free()
