"""The faults are over: wait for the last job, then end the daemons and look what they left."""

import os
import time

from harness import proc
from harness.psql import NotSent, Refused, Uncertain

LEFT = "select count(*) from public.jobs where status in ('queued', 'running')"


def drain(world, ledger, patience_s, say):
    """Did all jobs end?  The checker is told how long it took."""
    world.mend()
    begun = time.monotonic()
    session = world.psql("chaos-drain")
    left = None
    while left != "0" and time.monotonic() - begun < patience_s:
        try:
            left = session.value(LEFT)
        except (NotSent, Refused, Uncertain):
            pass
        time.sleep(0.1)
    session.close()
    ledger.note("drained", left=None if left is None else int(left),
                seconds=round(time.monotonic() - begun, 2), patience=patience_s)
    say(f"drained in {time.monotonic() - begun:.1f} s, {left} jobs left")
    return left == "0"


def stop(world, ledger, say):
    """TERM to all daemons; what is there afterwards is in the ledger."""
    for daemon in world.daemons:
        tree = daemon.tree()
        by_itself = daemon.stop()
        strays = daemon.wait_gone(tree, 3)
        mark = f"CHAOS_DAEMON={daemon.name}\0"
        strays += [pid for pid in proc.with_environment(f"CHAOS_LEDGER={world.handler_ledger}\0")
                   if pid not in strays and mark.encode() in proc.environment(pid)]
        ledger.note("stopped", daemon=daemon.name, by_itself=by_itself,
                    processes=[f"{pid} {proc.name(pid)}" for pid in strays],
                    files=left_files(daemon.tmp))
        say(f"{daemon.name} has ended")


def left_files(folder):
    return sorted(os.path.relpath(os.path.join(where, name), folder)
                  for where, folders, files in os.walk(folder) for name in [*folders, *files])
