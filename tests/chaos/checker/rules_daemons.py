"""What daemons take, and what they leave behind."""

import collections

from checker.facts import Violation

# A process that was seen fewer times has not yet settled.
SAMPLES = 60

# How much more each may have late in its life than early: the least at any moment, so what
# comes and goes with jobs hardly counts, but for a worker that is idle early and never late: its
# jobs have some 40 descriptors.  One left by each job would soon be more than that.
MORE = {
    "supervisor": {"anonymous_kb": 256, "descriptors": 3},
    "janitor": {"descriptors": 3},
    "worker": {"descriptors": 60},
}


def left_behind(facts):
    """After TERM: no process, no file of a job."""
    for line in facts.trial:
        if line["event"] != "stopped":
            continue
        if line["processes"] or line["files"]:
            yield Violation(f"{line['daemon']} has left something behind", [str(line)])
        if not line["by_itself"]:
            yield Violation(f"{line['daemon']} did not end when told so", [str(line)])


def process_grows(facts):
    """Memory and descriptors of who lives long are the same late in its life as early."""
    lives = collections.defaultdict(list)
    for line in facts.watcher:
        if line["event"] == "process":
            lives[line["daemon"], line["role"], line["pid"]].append(line)
    for (daemon, role, pid), lines in lives.items():
        if len(lines) < SAMPLES:
            continue
        part = len(lines) // 4
        for fact, more in MORE[role].items():
            early = min(line[fact] for line in lines[part:2 * part])
            late = min(line[fact] for line in lines[-part:])
            if late > early + more:
                yield Violation(f"{role} of {daemon}, pid {pid}: {fact} went from {early} to {late}",
                                [str(lines[part]), str(lines[-1])])


RULES = [left_behind, process_grows]
