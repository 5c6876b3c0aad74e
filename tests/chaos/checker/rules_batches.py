"""What batch_status said, while jobs ran and at the end."""

import collections
import json

from checker.facts import Violation

STATES = ("queued", "running", "succeeded", "failed", "cancelled")


def batch_is_not_the_truth(facts):
    """At the end it is what the jobs are."""
    truth = collections.defaultdict(collections.Counter)
    for job in facts.jobs.values():
        if job["batch_id"] is not None:
            truth[job["batch_id"]][job["status"]] += 1
    for status in facts.batches:
        is_so = truth[status["batch_id"]]
        said = {state: status[state] for state in STATES}
        if said != {state: is_so[state] for state in STATES} or status["total"] != sum(is_so.values()):
            yield Violation(f"batch {status['batch_id']} is not what its jobs are: {dict(is_so)}", [str(status)])


def batch_contradicts_itself(facts):
    for status in seen(facts):
        if sum(status[state] for state in STATES) != status["total"] or not 0 <= status["percent"] <= 100:
            yield Violation(f"batch {status['batch_id']}", [str(status)])
        elif status["done"] != (status["queued"] + status["running"] == 0):
            yield Violation(f"batch {status['batch_id']} is done or is not", [str(status)])
        elif status["done"] and status["percent"] != 100:
            yield Violation(f"batch {status['batch_id']} is done at {status['percent']} %", [str(status)])


def batch_goes_back(facts):
    """Nothing of a batch disappears, and what has ended stays so."""
    before = {}
    for status in seen(facts):
        earlier = before.get(status["batch_id"])
        ended = {state: status[state] for state in STATES[2:]}
        if earlier and (status["total"] != earlier["total"] or any(ended[s] < earlier[s] for s in ended)):
            yield Violation(f"batch {status['batch_id']} has gone back", [str(earlier), str(status)])
        before[status["batch_id"]] = status


def seen(facts):
    for line in facts.watcher:
        if line["event"] == "batch":
            yield json.loads(line["status"])


RULES = [batch_is_not_the_truth, batch_contradicts_itself, batch_goes_back]
