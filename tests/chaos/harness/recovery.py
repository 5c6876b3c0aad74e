"""How long it took until jobs were started again after a fault.

next   from the end of the fault (of a kill: from the kill) until the next job starts on a daemon
       it had hit, the slowest of them
again  from the moment of the hit until a job that ran below a process that was hit starts again
"""

import bisect
import collections


def recovery(fault_lines, handler_lines):
    """-> {fault: {"next": [seconds], "again": [seconds]}}"""
    starts = sorted((line for line in handler_lines if line["event"] == "start"), key=lambda l: l["mono"])
    by_daemon, by_job = collections.defaultdict(list), collections.defaultdict(list)
    for line in starts:
        by_daemon[line["daemon"]].append(line["mono"])
        by_job[line["job"]].append(line["mono"])
    last = _last_lines(handler_lines)
    found = collections.defaultdict(lambda: {"next": [], "again": []})
    hits = {}
    for line in fault_lines:
        if line["event"] == "hit":
            hits[line["number"]] = line
            found[line["fault"]]["again"] += _again(line, starts, last, by_job)
        elif line["event"] == "ends":
            times = [_after(by_daemon[daemon], line["mono"]) for daemon in hits[line["number"]]["daemons"]]
            if times and None not in times:
                found[line["fault"]]["next"].append(max(times))
    return found


def _after(times, mono):
    """Seconds until the next of them, or None."""
    at = bisect.bisect_right(times, mono)
    return (times[at] - mono) / 1e9 if at < len(times) else None


def _last_lines(lines):
    last = {}
    for line in lines:
        last[line["job"], line["token"]] = line
    return last


def _again(hit, starts, last, by_job):
    """Attempts that were running below what was hit and did not end."""
    pids, times = set(hit["pids"]), []
    for line in starts:
        if line["mono"] > hit["mono"] or line["pid"] not in pids:
            continue
        end = last[line["job"], line["token"]]
        if end["event"] in ("start", "tick") and end["mono"] < hit["mono"] + 1e9:
            times.append(_after(by_job[line["job"]], hit["mono"]))
    return [time for time in times if time is not None]


def percentile(times, share):
    times = sorted(times)
    return times[min(len(times) - 1, int(share * len(times)))] if times else None
