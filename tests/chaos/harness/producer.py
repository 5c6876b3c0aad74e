"""Enqueues all the while, and writes down what was acknowledged and what is uncertain."""

import json
import random
import uuid

from harness.background import Background
from harness.psql import NotSent, Refused, Uncertain

USERS = [f"11111111-1111-4111-8111-{n:012d}" for n in range(1, 6)]
CANCEL_AFTER = 12  # turns


class Producer(Background):
    """Every job has a number of ours in its payload, by which an uncertain one is found again."""

    pause_s = 0

    def __init__(self, session, ledger, kinds, seed, rate):
        super().__init__("producer", session)
        self.ledger = ledger
        self.kinds = kinds
        self.rng = random.Random(seed)
        self.rate = rate
        self.number = 0
        self.jobs = 0
        self.to_cancel = []
        self.batches = []
        self.owners = {}  # of batches

    def turn(self):
        what = self.rng.choices([self.one, self.batch, self.scheduled, self.unique],
                                [60, 15, 15, 10])[0]
        made = what()
        self.cancel_some()
        # The pace is that of the jobs, whatever a turn has made.
        self.pause_s = max(0.01, self.rng.uniform(0.5, 1.5) * made / self.rate)

    # --- what it asks for -------------------------------------------------------------

    def one(self):
        return self.put([self.job()])

    def scheduled(self):
        return self.put([self.job(delay_ms=self.rng.randrange(3000))])

    def batch(self):
        size = self.rng.choice([2, 5, 20, 40])
        user = self.rng.choice([None, *USERS])
        batch = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        return self.put([self.job(user=user, batch=batch) for _ in range(size)], batch=batch)

    def unique(self):
        """One job of a key at a time; a later call is answered with the unfinished one."""
        job = self.job(key=f"key-{self.rng.randrange(5)}")
        statement = ("select pgcrew.enqueue({kind}, {payload}, priority => {priority}, "
                     "max_attempts => {max}, unique_key => {key})").format(**self._texts(job))
        self.asked([job], statement, None)
        return 1

    def job(self, delay_ms=0, user=None, batch=None, key=None):
        self.number += 1
        kind = self.rng.choices(self.kinds, [kind.share for kind in self.kinds])[0]
        return {"number": self.number, "kind": kind.name, "max": kind.max_attempts,
                "priority": self.rng.randrange(10), "delay_ms": delay_ms, "user": user,
                "batch": batch, "key": key}

    def put(self, jobs, batch=None):
        rows = ", ".join("({kind}, {payload}, {priority}, {max}, now() + {delay_ms} * interval '1 ms', "
                         "{user}::uuid, {batch}::uuid)".format(**self._texts(job)) for job in jobs)
        self.asked(jobs, "insert into public.jobs (kind, payload, priority, max_attempts, run_at, user_id, "
                   f"batch_id) values {rows} returning id", batch)
        return len(jobs)

    @staticmethod
    def _texts(job):
        def text(value):
            return "null" if value is None else f"'{value}'"
        return {"kind": text(job["kind"]), "payload": text(json.dumps({"number": job["number"]})),
                "priority": job["priority"], "max": job["max"], "delay_ms": job["delay_ms"],
                "user": text(job["user"]), "batch": text(job["batch"]), "key": text(job["key"])}

    # --- what it writes down -------------------------------------------------------------

    def asked(self, jobs, statement, batch):
        facts = {"numbers": [job["number"] for job in jobs], "key": jobs[0]["key"], "batch": batch}
        # Before anything can come of it.
        self.ledger.note("asks", **facts)
        try:
            ids = [int(row[0]) for row in self.session.ask(statement)]
        except (NotSent, Refused) as why:
            self.ledger.note("refused", why=str(why), **facts)
            return
        except Uncertain as why:
            self.ledger.note("uncertain", why=str(why), **facts)
            return
        self.ledger.note("acknowledged", ids=ids, **facts)
        self.jobs += len(ids)
        if batch is not None:
            self.owners[batch] = jobs[0]["user"]
            self.batches.append(batch)
        self.to_cancel += [[CANCEL_AFTER, i] for i, job in zip(ids, jobs)
                           if job["kind"] == "long" or self.rng.random() < 0.02]

    def cancel_some(self):
        for entry in self.to_cancel:
            entry[0] -= 1
        due = [i for turns, i in self.to_cancel if turns <= 0]
        if not due:
            return
        self.to_cancel = [entry for entry in self.to_cancel if entry[0] > 0]
        ids = ",".join(map(str, due))
        self.ledger.note("cancels", ids=due)
        try:
            said = self.session.ask(f"select job_id, what from pgcrew.cancel_jobs('{{{ids}}}')")
            self.ledger.note("cancelled", ids=due, said={row[0]: row[1] for row in said})
        except (NotSent, Refused, Uncertain) as why:
            self.ledger.note("not cancelled", ids=due, why=str(why))
