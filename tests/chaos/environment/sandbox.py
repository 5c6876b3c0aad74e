"""Namespaces of our own for a whole run: processes, mounts, network.

Its first process is a shell that only waits for us, and ends us when its parent is gone. When
it ends, be it by KILL, so does every process in it, and mounts and cables are gone with them.
"""

import os
import shutil
import subprocess
import sys

INSIDE = "CHAOS_SANDBOX"
UNSHARE = ["unshare", "--fork", "--kill-child=TERM", "--pid", "--mount-proc", "--mount", "--net"]


def why_not():
    """Why this machine cannot have one; None when it can."""
    if os.environ.get(INSIDE):
        return None
    if os.getuid() != 0:
        return "only root can make namespaces and mounts"
    if shutil.which("unshare") is None:
        return "not installed: unshare"
    tried = subprocess.run([*UNSHARE, "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else "this machine allows no namespaces"


def enter():
    """Start this program again inside of one; returns when it is there already."""
    if os.environ.get(INSIDE):
        return
    # The shell reaps orphans, hands TERM on and says how it ended.
    # Processes that were killed leave things behind in /dev/shm.
    wait = ('ip link set lo up; mount -t tmpfs chaos /dev/shm; trap "kill -TERM \\$child" TERM INT; "$@" & child=$!; '
            'while kill -0 $child 2>/dev/null; do wait $child; status=$?; done; exit $status')
    os.environ[INSIDE] = "1"
    os.execvp(UNSHARE[0], [*UNSHARE, "bash", "-c", wait, "chaos", sys.executable, *sys.argv])
