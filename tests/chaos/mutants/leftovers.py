"""Daemons that do not tidy up."""

from mutants.mutant import Mutant


class Litter(Mutant):
    """A module leaves files of its jobs where the daemon has its own."""

    name = "litter"
    kinds = ("part",)
    caught_by = ("left behind",)
    seconds = 4
    at_end = True

    def apply(self, world):
        world.extra_env["CHAOS_MUTANT"] = "litter"
