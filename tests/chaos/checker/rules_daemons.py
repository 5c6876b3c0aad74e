"""What daemons take, and what they leave behind."""

import collections
import statistics

from checker.facts import Violation

# A supervisor that was seen fewer times has not yet settled.
SAMPLES = 60
MORE_KB = 256
MORE_DESCRIPTORS = 3


def left_behind(facts):
    """After TERM: no process, no file of a job."""
    for line in facts.trial:
        if line["event"] != "stopped":
            continue
        if line["processes"] or line["files"]:
            yield Violation(f"{line['daemon']} has left something behind", [str(line)])
        if not line["by_itself"]:
            yield Violation(f"{line['daemon']} did not end when told so", [str(line)])


def supervisor_grows(facts):
    """Memory and descriptors of a supervisor are the same late in its life as early."""
    lives = collections.defaultdict(list)
    for line in facts.watcher:
        if line["event"] == "supervisor":
            lives[line["daemon"], line["pid"]].append(line)
    for (daemon, pid), lines in lives.items():
        if len(lines) < SAMPLES:
            continue
        part = len(lines) // 4
        for fact, more in (("anonymous_kb", MORE_KB), ("descriptors", MORE_DESCRIPTORS)):
            early = statistics.median(line[fact] for line in lines[part:2 * part])
            late = statistics.median(line[fact] for line in lines[-part:])
            if late > early + more:
                yield Violation(f"{daemon}, pid {pid}: {fact} went from {early} to {late}",
                                [str(lines[part]), str(lines[-1])])


RULES = [left_behind, supervisor_grows]
