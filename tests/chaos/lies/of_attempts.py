"""Lies about claims, attempts and effects."""


def claimed_twice(told):
    """Until after the second had it."""
    told.lease("reaped", "left")["n"] = 10**6


def never_let_go(told):
    """By who had it first; the one that won let it go."""
    told.drop("leases", told.lease("retried", "left"))


def ended_by_another(told):
    told.about("ends", "plain")["xid"] = 1


def held_after_the_end(told):
    told.drop("leases", told.lease("never", "left"))


def claimed_after_the_end(told):
    lease = told.lease("never", "taken")
    lease["at"] = "999999999999"


def another_token(told):
    for line in told.lines("handlers", job=told.ids["never"]):
        line["token"] = 9


def ran_on(told):
    """After the next attempt had begun, and nobody had taken the lease away."""
    told.one("handlers", job=told.ids["retried"], event="failed")["mono"] = told.now


def reaped_alive(told):
    told.one("holders")["overdue"] = False


def no_effect(told):
    told.one("handlers", job=told.ids["plain"], event="effect")["event"] = "tick"


def effect_of_a_loser(told):
    line = told.one("handlers", job=told.ids["retried"], event="effect")
    told.drop("handlers", line)
    told.one("handlers", job=told.ids["retried"], event="failed")["event"] = "effect"


def effect_after_the_end(told):
    told.one("handlers", job=told.ids["plain"], event="effect")["mono"] = told.now


def undone(told):
    told.drop("effects", told.about("effects", "once"))


def done_twice(told):
    told.files["effects"].append(dict(told.about("effects", "once")))


def done_and_failed(told):
    told.files["effects"].append(dict(told.about("effects", "once"), job=told.ids["not once"]))


def done_elsewhere(told):
    told.about("effects", "once")["xid"] = 1


LIES = [
    (claimed_twice, "held twice"),
    (never_let_go, "held twice", "finished by stale"),
    (ended_by_another, "finished by stale"),
    (held_after_the_end, "finished by stale"),
    (claimed_after_the_end, "finished by stale"),
    (another_token, "ran without lease"),
    (ran_on, "attempts overlap"),
    (reaped_alive, "reaped too early"),
    (no_effect, "success without effect"),
    (effect_of_a_loser, "success without effect"),
    (effect_after_the_end, "success without effect"),
    (undone, "not exactly once"),
    (done_twice, "not exactly once"),
    (done_and_failed, "not exactly once"),
    (done_elsewhere, "not exactly once"),
]
