"""Looks all the while: batch_status of batches under way, memory and descriptors of daemons."""

import random
import threading

from harness import proc
from harness.psql import NotSent, Refused, Uncertain

STATUS = ("select s - 'jobs' from (select b from unnest('{{{batches}}}'::uuid[]) b "
          "where exists (select from public.jobs j where j.batch_id = b)) x, "
          "public.batch_status(x.b, 0) s")


class Watcher(threading.Thread):
    def __init__(self, world, ledger, batches, seed):
        """batches: a function that says which there are so far."""
        super().__init__(name="watcher", daemon=True)
        self.world = world
        self.ledger = ledger
        self.batches = batches
        self.session = world.psql("chaos-watcher")
        self.rng = random.Random(seed)
        self.stopping = threading.Event()
        self.failed = None

    def run(self):
        try:
            while not self.stopping.wait(0.25):
                self.look_at_batches()
                self.look_at_processes()
        except BaseException as why:  # pylint: disable=broad-except
            self.failed = why
            raise
        finally:
            self.session.close()

    def stop(self):
        self.stopping.set()
        self.join()

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
