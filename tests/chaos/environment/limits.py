"""What a running process may have: descriptors, processes, memory."""

import contextlib
import os
import resource
import subprocess
import time

MEMORY = "/sys/fs/cgroup/memory"
PREFIX = "pgcrew-chaos."


class Limit:
    """A soft limit of running processes, by prlimit(1)'s name for it, and the way back.

    Only their own user may change it, and not even root without a capability that test
    machines do not always give it.
    """

    def __init__(self, name, as_user=()):
        self.name = name
        self.as_user = list(as_user)

    def _prlimit(self, pid, *what):
        return subprocess.run([*self.as_user, "prlimit", f"--pid={pid}", *what], check=False,
                              capture_output=True, text=True).stdout.strip()

    def set(self, pids, value):
        for pid in pids:
            self._prlimit(pid, f"--{self.name}={value}:")

    def lift(self, pids):
        """To the hard one; children have inherited the limit, so they belong to pids, too."""
        for pid in pids:
            hard = self._prlimit(pid, f"--{self.name}", "--output=HARD", "--noheadings", "--raw")
            if hard:
                self.set([pid], hard)


def open_files(pid):
    """The highest descriptor of a process, and one."""
    try:
        return max((int(fd) for fd in os.listdir(f"/proc/{pid}/fd")), default=0) + 1
    except OSError:
        return 3


def address_space(pid):
    """Bytes of memory that it has mapped."""
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


class MemoryGroup:
    """A control group (version 1) with a limit: who takes more in it is killed by the kernel."""

    def __init__(self, name):
        self.path = os.path.join(MEMORY, name)

    @staticmethod
    def why_not():
        if not os.access(os.path.join(MEMORY, "cgroup.procs"), os.W_OK):
            return "no writable memory control group (version 1)"
        return None

    @staticmethod
    def remove_left_overs():
        """Those of runs that were killed; those of others that run are not empty."""
        for name in os.listdir(MEMORY):
            if name.startswith(PREFIX):
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.join(MEMORY, name))

    def _write(self, file, text, path=None):
        with open(os.path.join(path or self.path, file), "w", encoding="ascii") as out:
            out.write(text)

    def make(self, limit_bytes):
        os.makedirs(self.path, exist_ok=True)
        self._write("memory.limit_in_bytes", str(limit_bytes))

    def add(self, pid):
        with contextlib.suppress(ProcessLookupError):
            self._write("cgroup.procs", str(pid))

    def remove(self):
        """Who is still in it goes back to the group above."""
        for _ in range(100):
            try:
                with open(os.path.join(self.path, "cgroup.procs"), encoding="ascii") as file:
                    inside = file.read().split()
                for pid in inside:
                    with contextlib.suppress(ProcessLookupError):
                        self._write("cgroup.procs", pid, MEMORY)
                os.rmdir(self.path)
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.02)
