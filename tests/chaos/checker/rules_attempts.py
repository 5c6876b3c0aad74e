"""Leases, attempts and their effects."""

from checker.facts import Violation

# The kind whose handler is a function of the database.
ONCE = "record"


def winner(facts, job):
    """The lease in whose transaction the job has ended, or None."""
    ends = facts.ends[job]
    for lease in facts.leases[job]:
        if ends and lease.left is not None and lease.left["xid"] == ends[-1]["xid"]:
            return lease
    return None


def held_twice(facts):
    for job, leases in facts.leases.items():
        for earlier, later in zip(leases, leases[1:]):
            if earlier.left is None or earlier.left["n"] > later.taken["n"]:
                yield facts.violation(job, f"was claimed with token {later.token} while {earlier.token} held it")


def finished_by_stale(facts):
    """A success is told by who holds the job, and nobody ends a job that another holds."""
    for job, ends in facts.ends.items():
        end = ends[-1]
        if end["status"] == "succeeded" and winner(facts, job) is None:
            yield facts.violation(job, "has succeeded in a transaction that held no claim of it")
        for lease in facts.leases[job]:
            if lease.left is None and facts.jobs[job]["status"] != "running":
                yield facts.violation(job, f"is {facts.jobs[job]['status']} and token {lease.token} still holds it")
            elif lease.taken["at"] > end["at"]:
                yield facts.violation(job, f"was claimed with token {lease.token} after its end")


def ran_without_lease(facts):
    for job, attempts in facts.attempts.items():
        tokens = {lease.token for lease in facts.leases[job]}
        for attempt in attempts:
            if attempt.token not in tokens:
                yield facts.violation(job, f"ran under token {attempt.token}, which never had it")


def attempts_overlap(facts):
    """Only where the earlier has lost its lease because its time was over."""
    for job, attempts in facts.attempts.items():
        leases = {lease.token: lease for lease in facts.leases[job]}
        for i, earlier in enumerate(attempts):
            for later in attempts[i + 1:]:
                lease = leases.get(earlier.token)
                if earlier.last["mono"] > later.first["mono"] and not (lease and lease.is_lost()):
                    yield facts.violation(job, f"tokens {earlier.token} and {later.token} ran at the same time")


def reaped_too_early(facts):
    for line in facts.holders.values():
        if line["did"] == "reap_expired" and not line["overdue"]:
            yield Violation(f"holder {line['holder']} was reaped before its lease was over", [str(line)])


def success_without_effect(facts):
    """By the attempt that won, before it was known as a success."""
    for job in facts.jobs.values():
        if job["status"] != "succeeded" or job["kind"] == ONCE:
            continue
        won = winner(facts, job["id"])
        if won is not None and not any(
                line["event"] == "effect" and line["real"] <= won.left["real"]
                for attempt in facts.attempts[job["id"]] if attempt.token == won.token
                for line in attempt.lines):
            yield facts.violation(job["id"], f"has succeeded by token {won.token} without an effect of it")


def not_exactly_once(facts):
    """Of a job of a SQL function: one effect if it succeeded, of the transaction that ended it; else none."""
    for job in facts.jobs.values():
        if job["kind"] != ONCE:
            continue
        effects = facts.effects[job["id"]]
        wanted = 1 if job["status"] == "succeeded" else 0
        if len(effects) != wanted:
            yield facts.violation(job["id"], f"is {job['status']} with {len(effects)} effects")
        elif wanted and effects[0]["xid"] != facts.ends[job["id"]][-1]["xid"]:
            yield facts.violation(job["id"], "had its effect in another transaction than its end")


RULES = [held_twice, finished_by_stale, ran_without_lease, attempts_overlap, reaped_too_early,
         success_without_effect, not_exactly_once]
