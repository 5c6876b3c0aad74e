"""kill -9 of one process."""

import os
import signal

from faults.fault import Fault, Hit
from harness import proc


class Kill(Fault):
    """role: which of a daemon's processes there are to choose from."""

    @staticmethod
    def role(daemon):
        raise NotImplementedError

    def apply(self, world, rng):
        daemon = self.a_daemon(world, rng)
        victims = [] if daemon is None else self.role(daemon)
        if not victims:
            return None
        pid = rng.choice(victims)
        hit = Hit(f"pid {pid} of {daemon.name}", [daemon], [pid, *proc.below(pid)])
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        return hit


class KillWorker(Kill):
    name = "kill worker"
    weight = 3

    @staticmethod
    def role(daemon):
        return daemon.worker_pids()


class KillJanitor(Kill):
    name = "kill janitor"

    @staticmethod
    def role(daemon):
        return [daemon.janitor()] if daemon.janitor() else []


class KillServer(Kill):
    """The gateway or the dashboard: no job runs there."""

    name = "kill server"

    @staticmethod
    def role(daemon):
        return daemon.servers()


class KillGuard(Kill):
    name = "kill guard"

    @staticmethod
    def role(daemon):
        return daemon.guards()


class KillHandler(Kill):
    name = "kill handler"

    @staticmethod
    def role(daemon):
        return daemon.handlers()
