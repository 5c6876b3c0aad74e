"""Lies of batch_status, told at the end or on the way."""


def miscounted(told):
    told.files["batches"][0]["status"].update(succeeded=2, failed=0)


def too_many(told):
    told.files["batches"][0]["status"]["total"] = 3


def _seen(told, which):
    return told.lines("watcher", event="batch")[which]["status"]


def bad_sum(told):
    _seen(told, 0)["running"] = 1


def more_than_all(told):
    _seen(told, 1)["percent"] = 101


def done_early(told):
    _seen(told, 1)["done"] = True


def done_in_part(told):
    _seen(told, 2)["percent"] = 99


def undone_again(told):
    _seen(told, 2).update(succeeded=0, failed=2)


def shrinks(told):
    _seen(told, 1).update(total=1, queued=0, done=True, percent=100)


LIES = [
    (miscounted, "batch is not the truth"),
    (too_many, "batch is not the truth"),
    (bad_sum, "batch contradicts itself"),
    (more_than_all, "batch contradicts itself"),
    (done_early, "batch contradicts itself"),
    (done_in_part, "batch contradicts itself"),
    (undone_again, "batch goes back"),
    (shrinks, "batch goes back"),
]
