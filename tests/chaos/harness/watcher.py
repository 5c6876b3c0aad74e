"""Looks all the while: batch_status of batches under way, memory and descriptors of daemons."""

import random

from harness import proc
from harness.background import Background
from harness.psql import NotSent, Refused, Uncertain

STATUS = ("select s - 'jobs' from (select b from unnest('{{{batches}}}'::uuid[]) b "
          "where exists (select from public.jobs j where j.batch_id = b)) x, "
          "public.batch_status(x.b, 0) s")


class Watcher(Background):
    def __init__(self, world, ledger, batches, seed):
        """batches: a function that says which there are so far."""
        super().__init__("watcher", world.psql("chaos-watcher"))
        self.world = world
        self.ledger = ledger
        self.batches = batches
        self.rng = random.Random(seed)

    def turn(self):
        self.look_at_batches()
        self.look_at_processes()

    def look_at_batches(self):
        """Young ones move; now and then an old one, which must not."""
        known = self.batches()
        if not known:
            return
        some = {*known[-4:], self.rng.choice(known)}
        try:
            rows = self.session.ask(STATUS.format(batches=",".join(sorted(some))))
        except (NotSent, Refused, Uncertain):
            return
        for row in rows:
            self.ledger.note("batch", status=row[0])

    def look_at_processes(self):
        for daemon in self.world.daemons:
            for role, pid in daemon.roles():
                kb, descriptors = proc.anonymous_kb(pid), proc.descriptors(pid)
                if kb and descriptors:
                    self.ledger.note("process", role=role, daemon=daemon.name, pid=pid, anonymous_kb=kb,
                                     descriptors=descriptors)
