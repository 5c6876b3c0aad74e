"""SIGSTOP of a process, some of them for longer than a lease."""

import os
import signal

from faults.fault import Fault, Hit
from harness import proc


class Stop(Fault):
    hold_s = (1, 6)

    @staticmethod
    def role(daemon):
        """Groups of processes to choose one from: all of a group are stopped."""
        raise NotImplementedError

    def apply(self, world, rng):
        daemon = self.a_daemon(world, rng)
        groups = [] if daemon is None else self.role(daemon)
        if not groups:
            return None
        self.pids = rng.choice(groups)
        for pid in self.pids:
            self._send(pid, signal.SIGSTOP)
        return Hit(f"pid {self.pids[0]} of {daemon.name}", [daemon], self.pids)

    def lift(self, world):
        for pid in self.pids:
            self._send(pid, signal.SIGCONT)

    @staticmethod
    def _send(pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


class StopWorker(Stop):
    name = "stop worker"
    weight = 2

    @staticmethod
    def role(daemon):
        return [[pid] for pid in daemon.worker_pids()]


class StopJanitor(Stop):
    name = "stop janitor"

    @staticmethod
    def role(daemon):
        return [[daemon.janitor()]] if daemon.janitor() else []


class StopServer(Stop):
    """The gateway or the dashboard."""

    name = "stop server"

    @staticmethod
    def role(daemon):
        return [[pid] for pid in daemon.servers()]


class StopSupervisor(Stop):
    name = "stop supervisor"

    @staticmethod
    def role(daemon):
        return [[daemon.supervisor()]]


class StopGuard(Stop):
    name = "stop guard"

    @staticmethod
    def role(daemon):
        return [[pid] for pid in daemon.guards()]


class StopHandler(Stop):
    name = "stop handler"

    @staticmethod
    def role(daemon):
        return [[pid] for pid in daemon.handlers()]


class StopHost(Stop):
    """All of a daemon, as when its machine is suspended."""

    name = "stop host"
    hold_s = (3, 6)
    weight = 2

    @staticmethod
    def role(daemon):
        return [[daemon.supervisor(), *proc.below(daemon.supervisor())]]
