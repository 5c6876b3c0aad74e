"""Violations and figures, for people and as JSON."""

import json

from checker import check


def report(home, args, ended):
    violations, counts = check(home)
    for violation in violations:
        print(f"VIOLATION {violation.rule}: {violation.what}")
        for line in violation.evidence:
            print(f"    {line}")
    print(json.dumps(counts))
    return 1 if violations else 0
