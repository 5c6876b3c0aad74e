"""Ledgers that are made up: what harness, handlers and database would have written."""

import json
import os

BOOT = 1_700_000_000 * 10**9  # of the clock by which `mono` counts
FILES = ("jobs", "producer", "handlers", "watcher", "trial", "effects", "ends", "keys", "holders",
         "batches", "leases")


class Record:
    """Each line comes a hundredth of a second after the one before."""

    def __init__(self):
        self.files = {name: [] for name in FILES}
        self.now = 0
        self.token = 10
        self.xid = 100
        self.ids = {}  # of jobs, by the names that lies have for them

    # --- writing ------------------------------------------------------------------------

    def note(self, file, **facts):
        self.now += 10**7
        n = 1 + sum(map(len, self.files.values()))
        self.files[file].append({"n": n, "at": f"{self.now:012d}", "mono": self.now, "real": BOOT + self.now, **facts})

    def enqueue(self, *names, kind="quick", key=None, batch=None, max_attempts=5):
        """Asked for and acknowledged."""
        ids = list(range(len(self.ids) + 1, len(self.ids) + 1 + len(names)))
        self.ids.update(zip(names, ids))
        facts = {"numbers": ids, "key": key, "batch": batch}
        self.note("producer", event="asks", **facts)
        for number in ids:
            self.files["jobs"].append({
                "id": number, "batch_id": batch, "kind": kind, "payload": {"number": number}, "status": "queued",
                "error": None, "attempts": 0, "max_attempts": max_attempts, "unique_key": key})
            if key is not None:
                self.note("keys", job=number, key=key)
        self.note("producer", event="acknowledged", ids=ids, **facts)

    def claim(self, name, holder=1):
        """-> the token"""
        self.token += 1
        self.note("leases", what="taken", did="claim", token=self.token, holder=holder, jobs=[self.ids[name]],
                  xid=self.new_xid())
        return self.token

    def leave(self, name, token, did="finish", holder=1):
        self.note("leases", what="left", did=did, token=token, holder=holder, jobs=[self.ids[name]],
                  xid=self.new_xid())

    def say(self, name, token, *events, attempt=1):
        """By its handler."""
        for event in events:
            self.note("handlers", event=event, job=self.ids[name], token=token, attempt=attempt, pid=1000 + token,
                      daemon="d1")

    def end(self, name, status, attempts, error=None):
        """In the transaction of the last line about its claim."""
        job = self.one("jobs", id=self.ids[name])
        job.update(status=status, attempts=attempts, error=error)
        self.note("ends", xid=self.xid, job=job["id"], status=status, was="queued", attempts=attempts)

    def new_xid(self):
        self.xid += 1
        return self.xid

    # --- changing -----------------------------------------------------------------------

    def lines(self, file, **facts):
        return [line for line in self.files[file] if all(line.get(name) == value for name, value in facts.items())]

    def one(self, file, **facts):
        found = self.lines(file, **facts)
        if not found:
            raise KeyError(f"no line of {file} has {facts}")
        return found[0]

    def about(self, file, name):
        """The first line about a job."""
        return self.one(file, **{"id" if file == "jobs" else "job": self.ids[name]})

    def lease(self, name, what):
        return self.one("leases", what=what, jobs=[self.ids[name]])

    def drop(self, file, line):
        self.files[file].remove(line)

    def write(self, folder):
        for name, lines in self.files.items():
            with open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8") as file:
                file.writelines(json.dumps(as_written(name, line)) + "\n" for line in lines)


def as_written(file, line):
    """The watcher keeps a batch as the text that the database said."""
    if file == "watcher" and "status" in line:
        return {**line, "status": json.dumps(line["status"])}
    return line
