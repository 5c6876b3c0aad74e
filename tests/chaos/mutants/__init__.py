"""Ways to break pgcrew on purpose: the checker must see each of them."""

from harness.registry import find

from mutants.mutant import Mutant


def mutants():
    return find("mutants", Mutant)
