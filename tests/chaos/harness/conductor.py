"""Makes the planned faults happen, one after the other, and notes what was hit."""

import heapq
import random
import time


class Conductor:
    def __init__(self, world, faults, planned, ledger, say):
        self.world = world
        self.faults = faults
        self.ledger = ledger
        self.say = say
        # (when, order, what): what is (fault, number) for an end.
        self.due = [(p.at_s, n, p) for n, p in enumerate(planned)]
        heapq.heapify(self.due)

    def run(self, begin, stop):
        """Until all have ended; stop() says whether to make no more of them."""
        while self.due:
            at, number, what = heapq.heappop(self.due)
            if not self._wait(begin + at, stop):
                break
            if isinstance(what, tuple):
                self._lift(*what)
            else:
                self._apply(what, number)
        for _, _, what in self.due:
            if isinstance(what, tuple):
                self._lift(*what)

    @staticmethod
    def _wait(until, stop):
        while (left := until - time.monotonic()) > 0:
            if stop():
                return False
            time.sleep(min(left, 0.2))
        return True

    def _apply(self, planned, number):
        fault = self.faults[planned.name]()
        begun = time.monotonic()
        self.ledger.note("begins", number=number, fault=fault.name)
        hit = fault.apply(self.world, random.Random(planned.seed))
        if hit is None:
            self.ledger.note("missed", number=number, fault=fault.name)
            return
        self.say(f"{fault.name}: {hit.what}" + (f", {planned.hold_s:.1f} s" if planned.hold_s else ""))
        self.ledger.note("hit", number=number, fault=fault.name, what=hit.what, pids=hit.pids, count=hit.count,
                         daemons=[daemon.name for daemon in hit.daemons])
        if max(fault.hold_s) == 0:
            self._lift(fault, number)
        else:
            late = time.monotonic() - begun
            heapq.heappush(self.due, (planned.at_s + late + planned.hold_s, number, (fault, number)))

    def _lift(self, fault, number):
        fault.lift(self.world)
        self.ledger.note("ends", number=number, fault=fault.name)
