#!/usr/bin/env python3
"""Random cron texts, zones and moments, with the next time as a walk over every minute finds it.

cron.py SEED COUNT prints lines of text, zone, moment and next time, parted by tabs; "-" for a
time that does not come within DAYS.
"""

import random
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

DAYS = 40
MINUTE = timedelta(minutes=1)
# Some moments are near a change of the clock, where it is interesting.
ZONES = {
    "UTC": [],
    "Europe/Berlin": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "America/New_York": ["2027-03-14T07:00", "2026-11-01T06:00"],
    "Australia/Lord_Howe": ["2026-04-04T15:00", "2026-10-03T15:30"],
    "America/Santiago": ["2026-04-05T03:00", "2026-09-06T04:00"],
    "Asia/Kolkata": [],
    "Antarctica/Troll": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "Africa/Casablanca": ["2026-02-15T02:00", "2026-03-22T02:00"],
    "America/Havana": ["2026-03-08T05:00", "2026-11-01T05:00"],
    "Pacific/Apia": ["2011-12-30T10:00"],
    "America/St_Johns": ["2010-11-07T02:31", "2011-03-13T03:31"],
}
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
WEEKDAYS = "sun mon tue wed thu fri sat".split()


def random_field(rng, low, high, names=()):
    """The text of a field, and the set of its numbers."""

    def word(number):
        if number - low < len(names) and rng.random() < 0.3:
            return rng.choice([str.upper, str.lower, str.title])(names[number - low])
        return str(number)

    kind = rng.choice("**nnlrs")
    if kind == "*":
        return "*", set(range(low, high + 1))
    if kind == "s":
        step = rng.randint(1, high - low)
        return f"*/{step}", set(range(low, high + 1, step))
    if kind == "n":
        number = rng.randint(low, high)
        return word(number), {number}
    if kind == "r":
        first = rng.randint(low, high)
        last = rng.randint(first, high)
        step = rng.randint(1, 3)
        text = f"{word(first)}-{word(last)}" if last < high else f"{word(first)}-{last}"
        return text + (f"/{step}" if step > 1 else ""), set(range(first, last + 1, step))
    numbers = [rng.randint(low, high) for _ in range(rng.randint(2, 6))]
    return ",".join(word(n) for n in numbers), set(numbers)


def random_cron(rng):
    """A text, a function that says whether a local time fits it, and whether its hours begin with *."""
    minute = random_field(rng, 0, 59)
    hour = random_field(rng, 0, 23)
    day = random_field(rng, 1, 31) if rng.random() < 0.4 else ("*", set(range(1, 32)))
    month = random_field(rng, 1, 12, MONTHS) if rng.random() < 0.2 else ("*", set(range(1, 13)))
    weekday = random_field(rng, 0, 7, WEEKDAYS) if rng.random() < 0.4 else ("*", set(range(8)))
    either = day[0][0] != "*" and weekday[0][0] != "*"

    def fits(local):
        by_day = local.day in day[1]
        by_weekday = local.isoweekday() % 7 in {n % 7 for n in weekday[1]}
        return (
            local.minute in minute[1]
            and local.hour in hour[1]
            and local.month in month[1]
            and (by_day or by_weekday if either else by_day and by_weekday)
        )

    return " ".join(f[0] for f in (minute, hour, day, month, weekday)), fits, hour[0][0] == "*"


def next_time(fits, on_the_wall, zone, after):
    """The first minute after that fits; None: not within DAYS."""
    at = after.replace(second=0, microsecond=0)
    local = at.astimezone(zone).replace(tzinfo=None)
    for _ in range(DAYS * 1440):
        at += MINUTE
        before, there = local, at.astimezone(zone)
        local = there.replace(tzinfo=None)
        if on_the_wall:
            if fits(local):
                return at
            continue
        if fits(local) and not there.fold:
            return at
        # Here the clock has left out what is between.
        left_out = before + MINUTE
        while left_out < local:
            if fits(left_out):
                return at
            left_out += MINUTE
    return None


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        name = rng.choice(list(ZONES))
        if ZONES[name] and rng.random() < 0.8:
            after = datetime.fromisoformat(rng.choice(ZONES[name])) + rng.randint(-2000, 200) * MINUTE
        else:
            after = datetime(2026, 1, 1) + rng.randint(0, 525600 * 8) * MINUTE
        after = after.replace(tzinfo=timezone.utc) + timedelta(seconds=rng.choice([0, 0, 1, 59]))
        cron, fits, on_the_wall = random_cron(rng)
        found = next_time(fits, on_the_wall, ZoneInfo(name), after)
        print(cron, name, after.isoformat(), found.isoformat() if found else "-", sep="\t")


if __name__ == "__main__":
    main()
