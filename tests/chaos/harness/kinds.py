"""The kinds of jobs, how they are run, and how many of each hundred there are.

What a kind does is in handlers/act.c; the function of `record` in journal.sql.
"""

import collections

Kind = collections.namedtuple("Kind", "name way share max_attempts options")

WAITS = "retry_first: 50ms, retry_max: 400ms"

KINDS = [
    Kind("quick", "exec", 30, 20, WAITS),
    Kind("slow", "exec", 2, 20, WAITS + ", slots: 4"),
    Kind("long", "exec", 2, 20, WAITS + ", slots: 4"),
    Kind("flaky", "exec", 10, 4, WAITS),
    Kind("crashy", "exec", 8, 5, WAITS),
    Kind("later", "exec", 8, 10, WAITS + ", tempfail_max: 50"),
    Kind("never", "exec", 3, 5, WAITS),
    Kind("hopeless", "exec", 3, 2, WAITS),
    Kind("chat", "serve", 10, 10, WAITS + ", programs: 1, slots: 2"),
    Kind("talker", "serve", 4, 10, WAITS + ", programs: 2, in_flight: 2"),
    Kind("part", "module", 8, 10, WAITS),
    Kind("record", "sql", 12, 10, WAITS),
]

BY_NAME = {kind.name: kind for kind in KINDS}


def handlers(build):
    """What stands under `handlers:` in pgcrew.yaml."""
    what = {
        "exec": f"[{build}/tests/chaos/handlers/exec]",
        "serve": f"[{build}/tests/chaos/handlers/serve]",
        "module": f"{build}/tests/chaos/handlers/module.so",
        "sql": "chaos.record",
    }
    return "".join(f"  {kind.name}: {{{kind.way}: {what[kind.way]}, {kind.options}}}\n" for kind in KINDS)
