"""Append-only ledgers: one line of JSON an event, each written by one write()."""

import json
import os
import time


class Ledger:
    def __init__(self, path):
        self.path = path
        self.fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
        os.fchmod(self.fd, 0o666)

    def note(self, event, **facts):
        """Facts must not be named event, mono or real."""
        line = {"event": event, **facts, "mono": time.monotonic_ns(), "real": time.time_ns()}
        os.write(self.fd, (json.dumps(line, separators=(",", ":")) + "\n").encode())

    def close(self):
        os.close(self.fd)
