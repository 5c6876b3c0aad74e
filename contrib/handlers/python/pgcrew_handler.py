"""Work on many jobs of pgcrew in one program: pgcrew-handler(7) for Python.

    from pgcrew_handler import Failure, serve

    def work(job):
        if "path" not in job.payload:
            raise Failure("no path", again="never")
        job.progress(10, "reading")
        return {"size": os.path.getsize(job.payload["path"])}

    serve(work, name="sizes 1.0", in_flight=4)

Each job has a thread of its own; leave in_flight at 1 for code that is not made for that.
Needs Python 3.10 and Debian's python3-msgpack (elsewhere: msgpack).
"""
import json
import os
import socket
import sys
import threading
import traceback

import msgpack


class Failure(Exception):
    """Ends an attempt: again is "retry", "never" or "snooze" (which is not counted)."""

    def __init__(self, error, again="retry", wait_ms=None):
        super().__init__(error)
        self.how = {"error": str(error), "again": again}
        if wait_ms is not None:
            self.how["wait_ms"] = wait_ms


class Job:
    def __init__(self, send, number, facts, text):
        self._send, self._number, self._text = send, number, text
        self.facts = facts  # id, kind, queue, attempt, max_attempts, timeout_ms ...
        self.payload = None
        self.cancelled = None  # or why to stop: "cancelled", "timeout", "stopped"

    def progress(self, percent=None, note=None):
        self._send("progress", self._number, percent, note)

    def log(self, text):
        self._send("log", self._number, str(text))

    def run(self, work):
        try:
            self.payload = json.loads(self._text)
            result = json.dumps(work(self), ensure_ascii=False, allow_nan=False)
            self._send("result", self._number, result if result != "null" else None)
        except Failure as failure:
            self._send("failure", self._number, failure.how)
        except BaseException as e:  # even sys.exit() in one job must not end the others
            self.log(traceback.format_exc())
            self._send("failure", self._number, {"error": f"{type(e).__name__}: {e}"})


def serve(work, name="python", in_flight=1):
    """Call work(job) for each job, in threads; returns when pgcrew wants no more."""
    if "PGCREW_HANDLER_FD" not in os.environ:
        raise SystemExit(f"{name}: is to be started by pgcrew, see pgcrew-handler(7)")
    stream = socket.socket(fileno=int(os.environ["PGCREW_HANDLER_FD"]))
    stream.set_inheritable(False)
    sys.stdout.reconfigure(line_buffering=True)  # it is our log
    frames = stream.makefile("rb")
    lock = threading.Lock()
    jobs, draining = {}, False

    def send(*frame):
        body = msgpack.packb(frame, unicode_errors="replace")
        with lock:
            stream.sendall(len(body).to_bytes(4, "big") + body)

    def run(number):
        jobs[number].run(work)
        del jobs[number]
        if draining and not jobs:
            stream.shutdown(socket.SHUT_RD)  # ends the loop below

    send("hello", {"version": 1, "name": name, "in_flight": in_flight, "heartbeat": True})
    while head := frames.read(4):
        match msgpack.unpackb(frames.read(int.from_bytes(head, "big"))):
            case ["job", number, facts, payload, *_]:
                jobs[number] = Job(send, number, facts, payload)
                threading.Thread(target=run, args=[number], daemon=True).start()
            case ["cancel", number, why, *_] if job := jobs.get(number):
                job.cancelled = why
            case ["heartbeat", n, *_]:
                send("heartbeat", n)
            case ["drain", *_]:
                draining = True
                if not jobs:
                    return
            case ["quit", *_]:
                return
