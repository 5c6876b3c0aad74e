"""What must be true of every job, whoever ran it."""

import collections

from checker.facts import Violation

ENDED = ("succeeded", "failed", "cancelled")


def lost(facts):
    """What was acknowledged is there, and is what was asked for."""
    for line in facts.of("acknowledged"):
        for job, number in zip(line["ids"], line["numbers"]):
            row = facts.jobs.get(job)
            if row is None:
                yield facts.violation(job, "was acknowledged and is missing")
            elif line["key"] is None and row["payload"]["number"] != number:
                yield facts.violation(job, f"was acknowledged for number {number}")
            elif row["unique_key"] != line["key"]:
                yield facts.violation(job, f"was acknowledged for key {line['key']}")


def never_enqueued(facts):
    """Nothing is there or has run that nobody asked for; a refused or half enqueue left nothing."""
    asked = {number for line in facts.of("asks") for number in line["numbers"]}
    numbers = collections.Counter(job["payload"]["number"] for job in facts.jobs.values())
    for job in facts.jobs.values():
        if job["payload"]["number"] not in asked:
            yield facts.violation(job["id"], "nobody asked for it")
        elif numbers[job["payload"]["number"]] > 1:
            yield facts.violation(job["id"], "was enqueued more than once")
    for job in set(facts.attempts) | set(facts.effects):
        if job not in facts.jobs:
            yield facts.violation(job, "has run and was never enqueued")
    for line in facts.of("refused", "uncertain"):
        there = sum(numbers[number] > 0 for number in line["numbers"])
        if line["event"] == "refused" and there or there not in (0, len(line["numbers"])):
            yield Violation(f"{there} of {len(line['numbers'])} jobs are there of an enqueue that was "
                            f"{line['event']}", [str(line)])


def not_ended(facts):
    """Every job ends, soon after the last fault."""
    for job in facts.jobs.values():
        if job["status"] not in ENDED:
            yield facts.violation(job["id"], f"is {job['status']} after the drain")


def ended_more_than_once(facts):
    for job, ends in facts.ends.items():
        if len(ends) > 1:
            yield facts.violation(job, f"has changed {len(ends)} times from or to an end")


def too_many_attempts(facts):
    for job in facts.jobs.values():
        if job["attempts"] > job["max_attempts"]:
            yield facts.violation(job["id"], f"{job['attempts']} of {job['max_attempts']} attempts were charged")
        for attempt in facts.attempts[job["id"]]:
            if attempt.first["attempt"] > job["max_attempts"]:
                yield facts.violation(job["id"], f"attempt {attempt.first['attempt']} of {job['max_attempts']}")


def failed_without_reason(facts):
    """Failed is who has used up the attempts, has said never, or has killed too many workers."""
    for job in facts.jobs.values():
        if job["status"] != "failed" or job["attempts"] >= job["max_attempts"]:
            continue
        said_never = any(attempt.has("never") for attempt in facts.attempts[job["id"]])
        error = job["error"] or ""
        if not said_never and "never by lot" not in error and not error.startswith("quarantined"):
            yield facts.violation(job["id"], f"failed after {job['attempts']} of {job['max_attempts']} attempts")


def cancelled_unasked(facts):
    """Nobody cancels but us, and what was cancelled at once stays so."""
    asked = {job for line in facts.of("cancels") for job in line["ids"]}
    at_once = {int(job) for line in facts.of("cancelled") for job, said in line["said"].items()
               if said == "cancelled"}
    for job in facts.jobs.values():
        if job["status"] == "cancelled" and job["id"] not in asked:
            yield facts.violation(job["id"], "is cancelled and nobody asked for it")
        if job["id"] in at_once and job["status"] != "cancelled":
            yield facts.violation(job["id"], f"was cancelled and is {job['status']}")


def keys_not_unique(facts):
    """One unfinished job of a key at a time: the next gets it when the one before has ended."""
    by_key = collections.defaultdict(list)
    for line in facts.keys:
        by_key[line["key"]].append(line)
    for key, taken in by_key.items():
        for earlier, later in zip(taken, taken[1:]):
            ends = facts.ends[earlier["job"]]
            if not ends or ends[-1]["n"] > later["n"]:
                yield Violation(f"jobs {earlier['job']} and {later['job']} had key {key} at the same time",
                                facts.story(earlier["job"]) + facts.story(later["job"]))


RULES = [lost, never_enqueued, not_ended, ended_more_than_once, too_many_attempts, failed_without_reason,
         cancelled_unasked, keys_not_unique]
