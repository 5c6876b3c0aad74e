"""A run in which all went well: every way in which a job may end, and nothing to complain of."""

from lies.record import Record

BATCH = "6f1c0000-0000-4000-8000-000000000001"


def truth():
    told = Record()
    told.note("trial", event="world", name="plain", excuses=[])
    for story in (plain, retried, reaped, once, given_up, cancelled, keys, batch):
        story(told)
    told.note("producer", event="asks", numbers=[101, 102], key=None, batch=None)
    told.note("producer", event="refused", numbers=[101, 102], key=None, batch=None)
    told.note("producer", event="asks", numbers=[103, 104], key=None, batch=None)
    told.note("producer", event="uncertain", numbers=[103, 104], key=None, batch=None)
    processes(told)
    told.note("trial", event="stopped", daemon="d1", by_itself=True, processes=[], files=[])
    return told


def succeed(told, name, attempt=1):
    token = told.claim(name)
    told.say(name, token, "start", "effect", "done", attempt=attempt)
    told.leave(name, token)
    told.end(name, "succeeded", attempt)


def fail(told, name, how="failed", attempt=1):
    token = told.claim(name)
    told.say(name, token, "start", how, attempt=attempt)
    told.leave(name, token)


def plain(told):
    told.enqueue("plain")
    succeed(told, "plain")


def retried(told):
    told.enqueue("retried", kind="flaky")
    fail(told, "retried")
    succeed(told, "retried", attempt=2)


def reaped(told):
    """Its first worker was stopped for longer than the lease, and went on later."""
    told.enqueue("reaped")
    first = told.claim("reaped", holder=2)
    told.say("reaped", first, "start")
    told.note("holders", holder=2, pid=77, name="d2", did="reap_expired", overdue=True, xid=told.new_xid())
    told.leave("reaped", first, did="reap_expired", holder=2)
    second = told.claim("reaped")
    told.say("reaped", second, "start")
    told.say("reaped", first, "effect")
    told.say("reaped", second, "effect", "done")
    told.leave("reaped", second)
    told.end("reaped", "succeeded", 1)


def once(told):
    """Of functions of the database: one that succeeded, one that never will."""
    told.enqueue("once", "not once", kind="record")
    token = told.claim("once")
    told.leave("once", token)
    told.note("effects", job=told.ids["once"], attempt=1, xid=told.xid)
    told.end("once", "succeeded", 1)
    token = told.claim("not once")
    told.leave("not once", token)
    told.end("not once", "failed", 1, error="never by lot")


def given_up(told):
    told.enqueue("worn", kind="hopeless", max_attempts=2)
    fail(told, "worn")
    fail(told, "worn", attempt=2)
    told.end("worn", "failed", 2)
    told.enqueue("never", kind="never")
    fail(told, "never", how="never")
    told.end("never", "failed", 1)


def cancelled(told):
    """One before it began, one while it ran."""
    told.enqueue("waiting", "running", kind="long")
    ids = [told.ids["waiting"], told.ids["running"]]
    token = told.claim("running")
    told.say("running", token, "start")
    told.note("producer", event="cancels", ids=ids)
    told.end("waiting", "cancelled", 0)
    told.note("producer", event="cancelled", ids=ids, said={str(ids[0]): "cancelled", str(ids[1]): "asked"})
    told.leave("running", token)
    told.end("running", "cancelled", 0)


def keys(told):
    """The second gets the key when the first has ended."""
    told.enqueue("first", key="key-1")
    succeed(told, "first")
    told.enqueue("second", key="key-1")
    succeed(told, "second")


def batch(told):
    """Of two jobs, one of which has killed its workers."""
    told.enqueue("good", "bad", batch=BATCH)
    see(told, queued=2, percent=0)
    succeed(told, "good")
    see(told, queued=1, succeeded=1, percent=50)
    token = told.claim("bad")
    told.say("bad", token, "start")
    told.leave("bad", token, did="reap_process")
    told.end("bad", "failed", 0, error="quarantined: 3 workers and 0 hosts died while this job ran")
    see(told, succeeded=1, failed=1, percent=100)
    told.files["batches"].append({"status": status(succeeded=1, failed=1, percent=100)})


def status(queued=0, running=0, succeeded=0, failed=0, percent=0):
    return {"batch_id": BATCH, "total": 2, "queued": queued, "running": running, "succeeded": succeeded,
            "failed": failed, "cancelled": 0, "done": queued + running == 0, "percent": percent}


def see(told, **counts):
    """What the watcher sees; Record.write() makes it the text that the database said."""
    told.note("watcher", event="batch", status=status(**counts))


def processes(told):
    for _ in range(80):
        for pid, role in enumerate(("supervisor", "janitor", "worker"), 50):
            told.note("watcher", event="process", role=role, daemon="d1", pid=pid, anonymous_kb=2000, descriptors=20)
