"""Violations and figures, for people and as JSON."""

import collections
import json

from checker import check
from harness.recovery import KINDS, percentile, recovery

SHOWN = 5  # violations of a rule that are told with their evidence


def report(home, args, daemons, only=None):
    """Prints; returns the exit status.  only: rules that are asked, None: all."""
    violations, facts = check(home, only)
    faults = facts.read("faults")
    figures = {
        "seed": args.seed, "world": args.world, "seconds": args.seconds, "daemons": daemons,
        "mutant": args.mutant,
        **count(facts),
        "faults": dict(collections.Counter(line["fault"] for line in faults if line["event"] == "hit")),
        "stale_finishes": sum(line["count"] for line in faults if line.get("fault") == "ghost"
                              and line["event"] == "hit"),
        "missed": sum(line["event"] == "missed" for line in faults),
        "recovery": times(recovery(facts, faults)),
        "violations": dict(collections.Counter(violation.rule for violation in violations)),
    }
    tell(violations)
    show(figures)
    if args.report:
        with open(args.report, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
            file.write("\n")
    return 1 if violations else 0


def count(facts):
    enqueues = collections.Counter(line["event"] for line in facts.producer)
    leases = [lease for some in facts.leases.values() for lease in some]
    return {
        "jobs": len(facts.jobs),
        "acknowledged": sum(len(line["ids"]) for line in facts.of("acknowledged")),
        "uncertain_enqueues": enqueues["uncertain"],
        "ended": dict(collections.Counter(job["status"] for job in facts.jobs.values())),
        "attempts": sum(map(len, facts.attempts.values())),
        "effects": sum(line["event"] == "effect" for line in facts.handlers),
        "claims_lost": sum(lease.is_lost() for lease in leases),
        "left_by": dict(collections.Counter(lease.left["did"] for lease in leases if lease.left)),
        "overlaps": overlaps(facts),
        "drain_seconds": next((line["seconds"] for line in facts.trial if line["event"] == "drained"), None),
    }


def overlaps(facts):
    """Attempts that ran into the next one, allowed or not."""
    return sum(earlier.last["mono"] > later.first["mono"]
               for attempts in facts.attempts.values() for earlier, later in zip(attempts, attempts[1:]))


def times(found):
    return {fault: {what + "_" + name: round(percentile(some[what], share), 3)
                    for what in KINDS if some[what]
                    for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1))}
            for fault, some in sorted(found.items())}


def tell(violations):
    told = collections.Counter()
    for violation in violations:
        told[violation.rule] += 1
        if told[violation.rule] > SHOWN:
            continue
        print(f"VIOLATION {violation.rule}: {violation.what}")
        for line in violation.evidence:
            print(f"    {line}")


def show(figures):
    print(f"{'fault':24} {'hits':>5}" + "".join(f"{kind + ' p50':>10} {'p99':>8}" for kind in KINDS) + "  (seconds)")
    for fault, hits in sorted(figures["faults"].items()):
        found = figures["recovery"].get(fault, {})
        print(f"{fault:24} {hits:5}" + "".join(
            f"{found[kind + name]:{width}.3f}" if kind + name in found else " " * (width - 1) + "-"
            for kind in KINDS for name, width in (("_p50", 10), ("_p99", 9))))
    print(f"{sum(figures['faults'].values())} faults ({figures['missed']} found nothing to hit), "
          f"{figures['jobs']} jobs, {figures['attempts']} attempts, {figures['claims_lost']} jobs lost with a lease, "
          f"{figures['overlaps']} overlaps, {figures['stale_finishes']} stale finishes tried, drained in {figures['drain_seconds']} s")
    print("jobs: " + ", ".join(f"{n} {status}" for status, n in sorted(figures["ended"].items())))
    print("violations: " + (", ".join(f"{n} {rule}" for rule, n in figures["violations"].items()) or "none"))
