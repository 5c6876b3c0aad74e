"""Lies about what daemons take and leave."""


def _stopped(told):
    return told.one("trial", event="stopped")


def process_left(told):
    _stopped(told)["processes"] = ["4711 exec"]


def file_left(told):
    _stopped(told)["files"] = ["pgcrewd-x"]


def was_killed(told):
    _stopped(told)["by_itself"] = False


def _grows(told, role, fact, by):
    """A little at each look."""
    for n, line in enumerate(told.lines("watcher", event="process", role=role)):
        line[fact] += n * by


def supervisor_eats(told):
    _grows(told, "supervisor", "anonymous_kb", 8)


def supervisor_keeps_open(told):
    _grows(told, "supervisor", "descriptors", 1)


def janitor_keeps_open(told):
    _grows(told, "janitor", "descriptors", 1)


def worker_keeps_open(told):
    _grows(told, "worker", "descriptors", 2)


LIES = [
    (process_left, "left behind"),
    (file_left, "left behind"),
    (was_killed, "left behind"),
    (supervisor_eats, "process grows"),
    (supervisor_keeps_open, "process grows"),
    (janitor_keeps_open, "process grows"),
    (worker_keeps_open, "process grows"),
]
