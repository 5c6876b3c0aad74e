"""Looks while a run goes on whether rules are violated already: then it need not go on."""

import subprocess
import threading

from checker import check
from harness import dump

PAUSE_S = 0.5


class Lookout(threading.Thread):
    """The ledgers are not of one moment while they are written to: what counts is what two
    looks in a row have seen."""

    def __init__(self, world, rules, each):
        """each: whether each rule must have seen something, or one of them is enough."""
        super().__init__(name="lookout", daemon=True)
        self.world = world
        self.rules = set(rules)
        self.wanted = len(self.rules) if each else 1
        self.before = set()
        self.seen = False
        self.stopping = threading.Event()
        self.failed = None

    def run(self):
        try:
            while not self.seen and not self.stopping.wait(PAUSE_S):
                found = self.look()
                self.seen = len({rule for rule, _ in found & self.before}) >= self.wanted
                self.before |= found
        except BaseException as why:  # pylint: disable=broad-except
            self.failed = why
            raise

    def stop(self):
        self.stopping.set()
        self.join()

    def look(self):
        """-> {(rule, what)}"""
        try:
            dump.dump(self.world, stderr=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            return set()  # the server may be down just now
        violations, _ = check(self.world.home, self.rules)
        return {(violation.rule, violation.what) for violation in violations}
