"""Running processes that can have no more of something."""

import os

from environment.limits import Limit, MemoryGroup, address_space, open_files
from faults.fault import Fault, Hit


class Short(Fault):
    """limit: as prlimit(1) calls it."""

    worlds = ("limits",)
    hold_s = (0.5, 5)
    weight = 4
    limit = ""

    @staticmethod
    def victims(daemon):
        """Groups of processes; all of one are hit."""
        return [[daemon.supervisor()], *([pid] for pid in daemon.worker_pids()),
                *([pid] for pid in [daemon.janitor()] if pid)]

    @staticmethod
    def most(pid):
        raise NotImplementedError

    def apply(self, world, rng):
        self.daemon = self.a_daemon(world, rng)
        groups = [] if self.daemon is None else self.victims(self.daemon)
        if not groups:
            return None
        pids = rng.choice(groups)
        for pid in pids:
            Limit(self.limit, world.as_user()).set([pid], self.most(pid))
        return Hit(f"pid {pids[0]} of {self.daemon.name}", [self.daemon])

    def lift(self, world):
        """Whoever was forked meanwhile has inherited it."""
        Limit(self.limit, world.as_user()).lift(self.daemon.tree())


class NoDescriptors(Short):
    name = "no descriptors"
    limit = "nofile"

    @staticmethod
    def most(pid):
        return open_files(pid)


class NoProcesses(Short):
    name = "no processes"
    limit = "nproc"

    @staticmethod
    def victims(daemon):
        return [*Short.victims(daemon), daemon.tree()]

    @staticmethod
    def most(pid):
        return 1


class NoMemory(Short):
    """malloc() fails in it: it ends itself."""

    name = "no memory"
    limit = "as"

    @staticmethod
    def victims(daemon):
        return [[pid] for pid in daemon.worker_pids()]

    @staticmethod
    def most(pid):
        return address_space(pid) + (64 << 10)


class KilledForMemory(Fault):
    """A worker and all it starts have no more than this in all: the kernel kills some of it."""

    name = "killed for memory"
    worlds = ("limits",)
    hold_s = (1, 5)
    weight = 4

    def apply(self, world, rng):
        daemon = self.a_daemon(world, rng)
        workers = [] if daemon is None else daemon.worker_pids()
        if not workers:
            return None
        pid, mib = rng.choice(workers), rng.choice([1, 2, 4])
        self.group = MemoryGroup(f"{os.path.basename(world.home)}.{pid}")
        self.group.make(mib << 20)
        self.group.add(pid)
        return Hit(f"pid {pid} of {daemon.name}, {mib} MiB", [daemon])

    def lift(self, world):
        self.group.remove()
