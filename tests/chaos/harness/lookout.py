"""Looks while a run goes on whether rules are violated already: then it need not go on."""

import subprocess

from checker import check
from harness import dump
from harness.background import Background


class Lookout(Background):
    """The ledgers are not of one moment while they are written to: what counts is what two
    looks in a row have seen."""

    pause_s = 0.5

    def __init__(self, world, rules, each):
        """each: whether each rule must have seen something, or one of them is enough."""
        super().__init__("lookout")
        self.world = world
        self.rules = set(rules)
        self.wanted = len(self.rules) if each else 1
        self.before = set()
        self.seen = False

    def turn(self):
        found = self.look()
        self.seen = len({rule for rule, _ in found & self.before}) >= self.wanted
        self.before |= found
        if self.seen:
            self.stopping.set()

    def look(self):
        """-> {(rule, what)}"""
        try:
            dump.dump(self.world, stderr=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            return set()  # the server may be down just now
        violations, _ = check(self.world.home, self.rules)
        return {(violation.rule, violation.what) for violation in violations}
