"""Decides from the ledgers whether anything was lost or done wrongly.

Imports nothing of the harness, and knows of pgcrew no more than public.jobs and the words of
its manual pages.  A rule is a function of the modules named rules_*, listed in RULES there; it
is given the facts and yields violations.
"""

import importlib
import pkgutil

from checker.facts import Facts


def rules():
    """(name, function), of all modules."""
    found = []
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name.startswith("rules_")):
        found += importlib.import_module(f"checker.{module}").RULES
    return [(rule.__name__.replace("_", " "), rule) for rule in found]


def check(home, only=None):
    """-> the violations, and the facts they were found in.  only: names of rules; None: all."""
    facts = Facts(home)
    excused = {rule for line in facts.trial for rule in line.get("excuses", ())}
    violations = []
    for name, rule in rules():
        if name in excused or only is not None and name not in only:
            continue
        for violation in rule(facts):
            violation.rule = name
            violations.append(violation)
    return violations, facts
