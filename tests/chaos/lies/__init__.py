"""Made-up ledgers with one lie in each: the checker must see it, and nothing else.

A lie is a function of the modules named of_*, listed in LIES there with the rules that see it;
it is given a record of a run in which all went well.
"""

import importlib
import pkgutil
import tempfile

from checker import check, rules
from lies.truth import truth
from mutants import mutants


def lies():
    """(name, function, rules), of all modules."""
    found = []
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name.startswith("of_")):
        for lie, *seen_by in importlib.import_module(f"lies.{module}").LIES:
            found.append((f"{module} {lie.__name__}".replace("_", " "), lie, seen_by))
    return found


def seen_in(told):
    """The rules that are violated."""
    with tempfile.TemporaryDirectory() as folder:
        told.write(folder)
        violations, _ = check(folder)
        return sorted({violation.rule for violation in violations})


def results():
    """(what is promised, names that were found, those that should be) for TAP."""
    yield "all that is true is believed", seen_in(truth()), []
    for name, lie, seen_by in lies():
        told = truth()
        lie(told)
        yield name, seen_in(told), sorted(seen_by)
    names = [name for name, _ in rules()]
    lied = {rule for _, _, seen_by in lies() for rule in seen_by}
    broken = {rule for mutant in mutants().values() for rule in mutant.caught_by}
    yield "each rule has a lie, and no other", sorted(lied), sorted(names)
    yield "each has a mutant, but for those that only a lie can show", sorted(broken | set(LIE_ONLY)), sorted(names)


# A leak of our own would take longer to be seen than a mutant has.
LIE_ONLY = ("process grows",)
