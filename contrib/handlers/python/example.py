#!/usr/bin/python3
"""What a handler can do, one of each: {"do": "add", "a": 1, "b": 2} and so on."""
import time

from pgcrew_handler import Failure, serve


def work(job):
    match job.payload:
        case {"do": "echo"}:
            return job.payload
        case {"do": "add", "a": a, "b": b}:
            return {"sum": a + b}
        case {"do": "facts"}:
            return job.facts
        case {"do": "progress"}:
            job.progress(50, "half")
            return {"told": 50}
        case {"do": "log"}:
            job.log("a line of the log")
            print("this is no result")
            return {"logged": True}
        case {"do": "sleep", "ms": ms}:
            until = time.monotonic() + ms / 1000
            while time.monotonic() < until:
                if job.cancelled:
                    raise Failure(f"stopped: {job.cancelled}")
                time.sleep(0.01)
            return {"slept": ms}
        case {"do": "fail"}:
            raise Failure("not this time")
        case {"do": "never"}:
            raise Failure("it can not be done", again="never")
        case {"do": "snooze", "ms": ms}:
            raise Failure("not yet", again="snooze", wait_ms=ms)
        case {"do": "crash"}:
            return 1 / 0
        case _:
            raise Failure("nothing to do", again="never")


serve(work, name="example 1.0", in_flight=4)
