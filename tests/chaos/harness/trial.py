"""One run: set up, jobs and faults, drain, dump, check, report."""

import os
import random
import shutil
import sys
import tempfile
import time

from checker import rules
from harness import drain, dump, report, schedule
from harness.asker import Asker
from harness.conductor import Conductor
from harness.ledger import Ledger
from harness.lookout import Lookout
from harness.producer import Producer
from harness.watcher import Watcher
from mutants import mutants


class Trial:
    def __init__(self, args, world, faults):
        self.args = args
        self.faults = faults
        self.home = tempfile.mkdtemp(prefix="pgcrew-chaos.")
        daemons = args.daemons or random.Random(args.seed).choice([1, 2, 2, 3])
        self.world = world(self.home, args.build, daemons, args.workers)
        self.planned = schedule.plan(args.seed, args.seconds, faults, args.at_once, args.gap)
        self.mutant = mutants()[args.mutant]() if args.mutant else None
        self.seen = False
        self.begun = time.monotonic()

    def say(self, text):
        print(f"# {time.monotonic() - self.begun:7.2f} s  {text}", flush=True)

    def run(self):
        self.show_plan()
        try:
            self.set_up()
            self.play()
            if self.seen:
                dump.dump(self.world)
                return report.report(self.home, self.args, self.world.n_daemons, self.looked_for())
            drain.drain(self.world, self.ledger("trial"), self.args.drain, self.say)
            dump.dump(self.world)
            drain.stop(self.world, self.ledger("trial"), self.say)
            return report.report(self.home, self.args, self.world.n_daemons)
        finally:
            self.world.tear_down()
            if self.args.keep:
                print(f"# kept: {self.home}")
            else:
                shutil.rmtree(self.home, ignore_errors=True)

    def show_plan(self):
        print(f"# seed {self.args.seed}: --world {self.args.world} --seconds {self.args.seconds:g} "
              f"--jobs-rate {self.args.jobs_rate:g} --at-once {self.args.at_once} --gap {self.args.gap:g} with {self.world.n_daemons} daemons")
        for planned in self.planned:
            print(f"# {planned}")
        sys.stdout.flush()

    def ledger(self, name):
        return Ledger(os.path.join(self.home, name + ".jsonl"))

    def set_up(self):
        self.say(f"set up in {self.home}")
        self.world.set_up()
        self.ledger("trial").note("world", name=self.world.name, excuses=self.world.excuses)
        if self.mutant:
            self.mutant.apply(self.world)
        self.world.start()

    def kinds(self):
        """Of the jobs that are enqueued."""
        wanted = self.mutant and self.mutant.kinds
        return [kind for kind in self.world.kinds() if not wanted or kind.name in wanted]

    def may_end_early(self):
        return self.args.until_seen and not (self.mutant and self.mutant.at_end)

    def looked_for(self):
        """The rules that end the run: all those of a mutant together, or any."""
        return self.mutant.caught_by if self.mutant else [name for name, _ in rules() if name != "not ended"]

    def play(self):
        producer = Producer(self.world.client_psql("chaos-producer"), self.ledger("producer"),
                            self.kinds(), self.args.seed, self.args.jobs_rate)
        watcher = Watcher(self.world, self.ledger("watcher"), lambda: producer.batches, self.args.seed)
        asker = Asker(self.world, lambda: producer.owners, self.args.seed)
        threads = [producer, watcher, asker]
        lookout = Lookout(self.world, self.looked_for(), each=bool(self.mutant)) if self.may_end_early() else None
        if lookout:
            threads.append(lookout)

        def stop():
            return any(thread.failed for thread in threads) or lookout and lookout.seen

        for thread in threads:
            thread.start()
        try:
            begin = time.monotonic()
            conductor = Conductor(self.world, self.faults, self.planned, self.ledger("faults"), self.say)
            conductor.run(begin, stop)
            while time.monotonic() < begin + self.args.seconds and not stop():
                time.sleep(0.1)
        finally:
            for thread in threads:
                thread.stop()
        self.seen = bool(lookout and lookout.seen)
        for thread in threads:
            if thread.failed:
                raise RuntimeError(f"the {thread.name} has failed") from thread.failed
        self.say(f"{producer.jobs} jobs were acknowledged; users asked {asker.answered} times how far they are, "
                 f"and {asker.unanswered} times nobody could say")
