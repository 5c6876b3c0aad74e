"""What the ledgers say, put in order."""

import collections
import json
import os
from dataclasses import dataclass, field


@dataclass
class Violation:
    what: str
    evidence: list = field(default_factory=list)
    rule: str = ""


@dataclass
class Attempt:
    """What handlers wrote about one job under one token."""

    job: int
    token: int
    lines: list

    @property
    def first(self):
        return self.lines[0]

    @property
    def last(self):
        return self.lines[-1]

    def has(self, event):
        return any(line["event"] == event for line in self.lines)


@dataclass
class Lease:
    """A job in a claim: from when it was taken until it left, and by what."""

    token: int
    holder: int
    taken: dict
    left: dict = None

    def is_lost(self):
        """Taken away because its time was over."""
        return self.left is not None and self.left["did"] == "reap_expired"


class ByJob(dict):
    """Lists by job; asking for one of which nothing is known changes nothing."""

    def __missing__(self, job):
        return []


class Facts:
    def __init__(self, home):
        self.home = home
        self.jobs = {job["id"]: job for job in self.read("jobs")}
        self.producer = self.read("producer")
        self.handlers = self.read("handlers")
        self._set_clock()
        self.watcher = self.read("watcher")
        self.trial = self.read("trial")
        self.effects = self._by_job(self.read("effects"))
        self.ends = self._by_job(self.read("ends"))
        self.keys = self.read("keys")
        self.holders = {line["holder"]: line for line in self.read("holders")}
        self.batches = [line["status"] for line in self.read("batches")]
        self.leases = self._leases(self.read("leases"))
        self.attempts = self._attempts()

    def read(self, name):
        with open(os.path.join(self.home, name + ".jsonl"), encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    def _set_clock(self):
        """Handlers may see another wall clock than the database: theirs is not believed."""
        ahead = self.producer[0]["real"] - self.producer[0]["mono"] if self.producer else 0
        for line in self.handlers:
            line["real"] = line["mono"] + ahead

    def of(self, *events):
        """The producer's lines of these kinds."""
        return [line for line in self.producer if line["event"] in events]

    @staticmethod
    def _by_job(lines):
        found = collections.defaultdict(list)
        for line in lines:
            found[line["job"]].append(line)
        return ByJob(found)

    @staticmethod
    def _leases(lines):
        """By job, in the order in which they were taken."""
        found = collections.defaultdict(list)
        for line in lines:
            for job in line["jobs"]:
                if line["what"] == "taken":
                    found[job].append(Lease(line["token"], line["holder"], line))
                elif line["what"] in ("left", "shrunk"):
                    for lease in found[job]:
                        if lease.token == line["token"] and lease.left is None:
                            lease.left = line
                elif line["what"] == "moved":
                    for lease in found[job]:
                        if lease.token == line["token"]:
                            lease.holder = line["holder"]
        return ByJob(found)

    def _attempts(self):
        """By job, in the order of their tokens."""
        lines = collections.defaultdict(list)
        for line in self.handlers:
            lines[line["job"], line["token"]].append(line)
        found = collections.defaultdict(list)
        for (job, token), some in sorted(lines.items()):
            found[job].append(Attempt(job, token, sorted(some, key=lambda line: line["mono"])))
        return ByJob(found)

    # --- evidence -----------------------------------------------------------------------

    def story(self, job):
        """All that is known of a job, in the order of time."""
        told = [(line["real"], f"handler {line['event']} token {line['token']} attempt {line['attempt']} "
                               f"pid {line['pid']} of {line['daemon']}")
                for line in self.handlers if line["job"] == job and line["event"] != "tick"]
        for attempt in self.attempts[job]:
            told.append((attempt.last["real"], f"handler's last line, token {attempt.token}"))
        for lease in self.leases[job]:
            told.append((lease.taken["real"], f"claimed, token {lease.token}, holder {lease.taken['holder']}"))
            if lease.left:
                told.append((lease.left["real"], f"left the claim, token {lease.token}, holder "
                             f"{lease.left['holder']}, by {lease.left['did']}, xid {lease.left['xid']}"))
        told += [(end["real"], f"{end['was']} -> {end['status']}, attempts {end['attempts']}, xid {end['xid']}")
                 for end in self.ends[job]]
        for line in self.producer:
            if job in line.get("ids", ()):
                told.append((line["real"], f"producer: {line['event']} {line.get('said', {}).get(str(job), '')}"))
        told.sort(key=lambda entry: entry[0])
        begin = told[0][0] if told else 0
        return [f"job {job}: {self.jobs.get(job)}"] + [f"{(at - begin) / 1e9:+10.4f} s  {what}" for at, what in told]

    def violation(self, job, what):
        return Violation(f"job {job}: {what}", self.story(job))
