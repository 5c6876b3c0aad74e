"""Lies about what became of jobs."""


def not_there(told):
    told.drop("jobs", told.about("jobs", "plain"))
    told.drop("ends", told.about("ends", "plain"))
    told.files["handlers"] = [line for line in told.files["handlers"] if line["job"] != told.ids["plain"]]
    told.files["leases"] = [line for line in told.files["leases"] if told.ids["plain"] not in line["jobs"]]


def another_payload(told):
    told.about("jobs", "plain")["payload"] = {"number": told.ids["retried"]}
    told.about("jobs", "retried")["payload"] = {"number": told.ids["plain"]}


def another_key(told):
    told.about("jobs", "first")["unique_key"] = "key-2"


def from_nowhere(told):
    told.files["jobs"].append(dict(told.about("jobs", "plain"), id=999, payload={"number": 999}, status="cancelled"))
    told.one("producer", event="cancels")["ids"].append(999)


def there_twice(told):
    told.files["jobs"].append(dict(told.about("jobs", "waiting"), id=999))
    told.one("producer", event="cancels")["ids"].append(999)


def had_an_effect_only(told):
    told.files["effects"].append(dict(told.about("effects", "once"), job=999))


def _waits_for_nothing(told, number):
    told.files["jobs"].append(dict(told.about("jobs", "waiting"), id=999, payload={"number": number}))
    told.one("producer", event="cancels")["ids"].append(999)


def refused_and_there(told):
    _waits_for_nothing(told, 101)


def half_an_enqueue(told):
    _waits_for_nothing(told, 103)


def still_queued(told):
    told.about("jobs", "running")["status"] = "queued"


def ended_again(told):
    told.files["ends"].append(dict(told.about("ends", "plain")))


def charged_too_often(told):
    told.about("jobs", "plain")["attempts"] = 6


def ran_too_often(told):
    for line in told.lines("handlers", job=told.ids["worn"]):
        line["attempt"] += 1


def failed_early(told):
    told.about("jobs", "worn")["max_attempts"] = 3


def not_refused_by_it(told):
    told.one("handlers", event="never")["event"] = "failed"


def not_refused_by_the_function(told):
    told.about("jobs", "not once")["error"] = "failed by lot"


def not_quarantined(told):
    told.about("jobs", "bad")["error"] = "something"


def cancelled_by_nobody(told):
    told.one("producer", event="cancels")["ids"].remove(told.ids["running"])


def cancelled_in_vain(told):
    told.one("producer", event="cancelled")["said"][str(told.ids["never"])] = "cancelled"


def key_taken_early(told):
    told.one("keys", job=told.ids["second"])["n"] = told.about("ends", "first")["n"] - 1


def key_of_who_never_ended(told):
    told.drop("ends", told.about("ends", "first"))


LIES = [
    (not_there, "lost"),
    (another_payload, "lost"),
    (another_key, "lost"),
    (from_nowhere, "never enqueued"),
    (there_twice, "never enqueued"),
    (had_an_effect_only, "never enqueued"),
    (refused_and_there, "never enqueued"),
    (half_an_enqueue, "never enqueued"),
    (still_queued, "not ended"),
    (ended_again, "ended more than once"),
    (charged_too_often, "too many attempts"),
    (ran_too_often, "too many attempts"),
    (failed_early, "failed without reason"),
    (not_refused_by_it, "failed without reason"),
    (not_refused_by_the_function, "failed without reason"),
    (not_quarantined, "failed without reason"),
    (cancelled_by_nobody, "cancelled unasked"),
    (cancelled_in_vain, "cancelled unasked"),
    (key_taken_early, "keys not unique"),
    (key_of_who_never_ended, "keys not unique"),
]
