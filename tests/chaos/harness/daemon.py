"""One pgcrewd and what is below it."""

import os
import signal
import subprocess
import time

from harness import asker, kinds, proc

LEASE_S = 2.5

CONFIG = """name: {name}
database.url: {url}
control.socket: {socket}
worker.count: {workers}
worker.slots: 3
worker.stall_timeout: 5s
worker.kill_grace: 500ms
worker.drain_timeout: 2s
queue.lease: {lease}ms
queue.poll_interval: 300ms
handler.timeout: 30s
handler.env: [PATH, HOME, LANG, CHAOS_LEDGER, CHAOS_DAEMON, CHAOS_MUTANT]
gateway.listen: {gateway}
gateway.database_url: {gateway_url}
gateway.jwt_secret: {secret}
dashboard.listen: {dashboard}
{more}handlers:
{handlers}"""


class Daemon:
    """world says how it is started: daemon_url, daemon_prefix, daemon_env, daemon_config."""

    def __init__(self, world, number, workers):
        self.world = world
        self.number = number
        self.workers = workers
        self.name = f"d{number}"
        self.home = os.path.join(world.home, self.name)
        self.socket = os.path.join(self.home, "control.sock")
        self.gateway_socket = os.path.join(self.home, "gateway.sock")
        self.dashboard_socket = os.path.join(self.home, "dashboard.sock")
        self.log = os.path.join(self.home, "log")
        self.tmp = os.path.join(self.home, "tmp")
        self.child = None
        os.makedirs(self.tmp)
        os.chmod(self.tmp, 0o777)

    def write_config(self):
        text = CONFIG.format(
            name=self.name, url=self.world.daemon_url(self.number), socket=self.socket,
            gateway=self.gateway_socket, gateway_url=self.world.gateway_url(self.number),
            secret=asker.SECRET, dashboard=self.dashboard_socket, workers=self.workers, lease=int(LEASE_S * 1000), more=self.world.daemon_config(self.number),
            handlers=kinds.handlers(self.world.build))
        with open(os.path.join(self.home, "pgcrew.yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def start(self):
        """Start it if it does not run."""
        if self.is_running():
            return
        self.write_config()
        env = dict(os.environ, PGCREW_ALLOW_ROOT="yes", CHAOS_LEDGER=self.world.handler_ledger, CHAOS_DAEMON=self.name,
                   TMPDIR=self.tmp, **self.world.daemon_env(self.number))
        command = [*self.world.daemon_prefix(self.number), os.path.join(self.world.build, "pgcrewd"),
                   "-c", os.path.join(self.home, "pgcrew.yaml")]
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env=env, start_new_session=True)

    def is_running(self):
        return self.child is not None and self.child.poll() is None

    def supervisor(self):
        """Its pid, or None.  A prefix must exec, so that the child is the daemon."""
        return self.child.pid if self.is_running() else None

    def janitor(self):
        return next(iter(self._children("janitor")), None)

    def servers(self):
        """Who serves HTTP."""
        return self._children("gateway") + self._children("dashboard")

    def worker_pids(self):
        return self._children("worker")

    def roles(self):
        """(role, pid) of those that live long."""
        found = [("supervisor", self.supervisor()), ("janitor", self.janitor())]
        found += [("worker", pid) for pid in self.worker_pids()]
        return [(role, pid) for role, pid in found if pid]

    def guards(self):
        """Processes right below the workers."""
        return sorted(pid for worker in self.worker_pids() for pid in proc.children(worker))

    def handlers(self):
        """What guards run."""
        return sorted(pid for guard in self.guards() for pid in proc.children(guard))

    def tree(self):
        pid = self.supervisor()
        return [] if pid is None else [pid, *proc.below(pid)]

    def signal(self, number):
        if self.is_running():
            self.child.send_signal(number)

    def stop(self, patience_s=20):
        """TERM and wait; says whether it ended by itself."""
        self.signal(signal.SIGTERM)
        try:
            return self.child is None or self.child.wait(patience_s) == 0
        except subprocess.TimeoutExpired:
            self.kill()
            return False

    def kill(self):
        if self.is_running():
            self.child.kill()
            self.child.wait()

    def wait_gone(self, pids, patience_s):
        """Those of these processes that are still there afterwards."""
        end = time.monotonic() + patience_s
        while (left := [pid for pid in pids if proc.is_there(pid)]) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def _children(self, role):
        pid = self.supervisor()
        if pid is None:
            return []
        return sorted(child for child in proc.children(pid) if proc.name(child).startswith(role))
