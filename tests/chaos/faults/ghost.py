"""A worker that was gone for longer than its lease, and says how its attempts ended."""

from faults.fault import Fault, Hit
from harness.psql import NotSent, Refused, Uncertain


class Ghost(Fault):
    """Real ones are rare: workers ask first whether they still hold what they ran."""

    name = "ghost"
    weight = 3

    def apply(self, world, rng):
        session = world.psql("chaos-ghost")
        try:
            tries = int(session.value("select chaos.ghosts(10)"))
        except (NotSent, Refused, Uncertain):
            return None
        finally:
            session.close()
        return Hit(f"{tries} stale finishes", count=tries) if tries else None
