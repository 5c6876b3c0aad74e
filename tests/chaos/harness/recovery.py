"""How long it took to recover from a fault.

next   from the end of the fault (of a kill: from the kill) until the next job starts on a daemon
       it had hit, the slowest of them
back   from the hit until a job that ran below a process that was hit could be claimed again
again  from the hit until such a job was started again: others may have been before it
"""

import bisect
import collections

KINDS = ("next", "back", "again")


def recovery(facts, fault_lines):
    """-> {fault: {"next": [seconds], ...}}"""
    by_daemon = collections.defaultdict(list)
    for line in facts.handlers:
        if line["event"] == "start":
            by_daemon[line["daemon"]].append(line["mono"])
    for times in by_daemon.values():
        times.sort()
    found = collections.defaultdict(lambda: {kind: [] for kind in KINDS})
    hits, by_pid = {}, _by_pid(facts)
    for line in fault_lines:
        if line["event"] == "hit":
            hits[line["number"]] = line
            for back, again in _interrupted(facts, by_pid, line):
                found[line["fault"]]["back"] += back
                found[line["fault"]]["again"] += again
        elif line["event"] == "ends":
            times = [_after(by_daemon[daemon], line["mono"]) for daemon in hits[line["number"]]["daemons"]]
            if times and None not in times:
                found[line["fault"]]["next"].append(max(times))
    return found


def _after(times, mono):
    """Seconds until the next of them, or None."""
    at = bisect.bisect_right(times, mono)
    return (times[at] - mono) / 1e9 if at < len(times) else None


def _by_pid(facts):
    """(job, which of its attempts) by the process that ran it."""
    found = collections.defaultdict(list)
    for job, attempts in facts.attempts.items():
        for n, attempt in enumerate(attempts):
            found[attempt.first["pid"]].append((job, n))
    return found


def _interrupted(facts, by_pid, hit):
    """Times of the attempts that were running below what was hit and got no further."""
    for job, n in [at for pid in hit["pids"] for at in by_pid.get(pid, ())]:
        attempts = facts.attempts[job]
        attempt = attempts[n]
        if attempt.first["mono"] > hit["mono"] or attempt.last["event"] not in ("start", "tick") or \
                not hit["mono"] - 1e9 < attempt.last["mono"] < hit["mono"] + 1e9:
            continue
        left = [(lease.left["real"] - hit["real"]) / 1e9 for lease in facts.leases[job]
                if lease.token == attempt.token and lease.left is not None]
        later = [(attempts[n + 1].first["mono"] - hit["mono"]) / 1e9] if n + 1 < len(attempts) else []
        yield left, later


def percentile(times, share):
    times = sorted(times)
    return times[min(len(times) - 1, int(share * len(times)))] if times else None
