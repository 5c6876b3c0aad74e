"""A private PostgreSQL: own folder, own user, Unix socket and one address if asked for."""

import fcntl
import glob
import os
import re
import shutil
import signal
import subprocess
import time

CONF = """
listen_addresses = '{listen}'
port = {port}
unix_socket_directories = '{run}'
unix_socket_permissions = 0777
fsync = off
full_page_writes = off
max_connections = 200
shared_buffers = 64MB
max_wal_size = 1GB
timezone = 'UTC'
log_min_messages = warning
log_line_prefix = '%m [%p] %q%u@%d %a '
deadlock_timeout = 500ms
"""


def bin_folder():
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    if not found:
        raise SystemExit("no PostgreSQL server is installed")
    return os.path.dirname(max(found, key=lambda path: int(re.search(r"/(\d+)/", path)[1])))


def as_server(*command):
    """The server refuses to run as root; Debian's package brings a user for it."""
    if os.getuid() != 0:
        return list(command)
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "env", "HOME=/tmp",
            *command]


class Cluster:
    """prefix is put before what starts the server, so that it can live in a namespace."""

    template = None  # a folder: its data is what a cluster begins with, made there by the first

    def __init__(self, home, listen="", port=5432, prefix=(), conf="", env=None):
        self.home = home
        self.data = os.path.join(home, "data")
        self.run = os.path.join(home, "run")
        self.port = port
        self.prefix = list(prefix)
        self.listen = listen
        self.conf = conf
        self.env = [f"{name}={value}" for name, value in (env or {}).items()]

    @staticmethod
    def program(name):
        """Past Debian's wrappers, which choose among versions and take their time for it."""
        return os.path.join(bin_folder(), name)

    def make(self):
        self.make_folders()
        if self.template is None:
            self.init(self.data)
        else:
            self.call_program("cp", "-R", self.of_template(), self.data)
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as file:
            file.write(CONF.format(listen=self.listen, port=self.port, run=self.run) + self.conf)

    def init(self, data):
        self.call("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")

    def of_template(self):
        """Where its data is.  Runs at the same time wait for the one that makes it."""
        os.makedirs(self.template, exist_ok=True)
        os.chmod(self.template, 0o777)
        data = os.path.join(self.template, "data")
        with open(os.path.join(self.template, "lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(data):
                self.init(data + ".part")
                os.rename(data + ".part", data)
        return data

    def make_folders(self):
        os.makedirs(self.run, exist_ok=True)
        os.chmod(self.home, 0o755)
        os.chmod(self.run, 0o777)
        if os.getuid() == 0:
            shutil.chown(self.home, "postgres")
            shutil.chown(self.run, "postgres")

    def start(self):
        """Returns when it takes connections; nothing is done if it runs."""
        if not self.is_running():
            self.call("pg_ctl", "-D", self.data, "-l", os.path.join(self.home, "server.log"),
                      "-w", "-t", "60", "start")

    def stop(self, mode):
        """mode: fast, immediate, smart."""
        if self.is_running():
            self.call("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop")

    def is_running(self):
        pid = self.postmaster()
        return pid is not None and os.path.exists(f"/proc/{pid}")

    def postmaster(self):
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="utf-8") as file:
                return int(file.readline())
        except (FileNotFoundError, ValueError):
            return None

    def kill(self):
        """The machine of the server is gone: no process of it gets to say anything."""
        pid = self.postmaster()
        if pid is None:
            return
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True,
                                  check=False).stdout.split()
        for victim in [pid, *map(int, children)]:
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass
        while os.path.exists(f"/proc/{pid}"):
            time.sleep(0.01)
        os.unlink(os.path.join(self.data, "postmaster.pid"))

    def conninfo(self, user="postgres", host=None):
        return f"host={host or self.run} port={self.port} dbname=postgres user={user}"

    def call(self, tool, *arguments):
        """One of the server's own programs, as its user."""
        self.call_program(self.program(tool), *arguments)

    def call_program(self, *command):
        """As the server's user."""
        tool = os.path.basename(command[0])
        command = [*self.prefix, *as_server("env", *self.env, *command)]
        # The server keeps its output: a pipe would never end.
        with open(os.path.join(self.home, "calls.log"), "a", encoding="utf-8") as log:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
        if done.returncode != 0:
            with open(log.name, encoding="utf-8") as log:
                raise RuntimeError(f"{tool} failed: " + log.read()[-2000:])
