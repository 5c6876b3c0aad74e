"""What a fault is.

    class Cut(Fault):
        name = "network cut"
        worlds = ("netns",)
        hold_s = (1, 6)
        touches = "network"

        def apply(self, world, rng):
            daemon = self.a_daemon(world, rng)
            ...
            return Hit(f"the link of {daemon.name}", daemons=[daemon])

        def lift(self, world):
            ...

An object is one fault: apply() is called once, and lift() once after it unless nothing was
hit, so what lift() needs is kept in self.  Both are called in the one thread that makes
faults, in the order of the schedule.  Anything may have happened meanwhile: the process may
be gone, the server down, another fault on top of it; then lift() does what is still to do.
"""

import dataclasses


@dataclasses.dataclass
class Hit:
    """what: for the report.  daemons: whose next job says that it has recovered.
    pids: processes that it takes down or stops, with all that is below them.
    count: how many of what it names were hit."""

    what: str
    daemons: list = dataclasses.field(default_factory=list)
    pids: list = dataclasses.field(default_factory=list)
    count: int = 1


class Fault:
    name = ""
    worlds = None        # names of worlds; None: all
    hold_s = (0, 0)      # it lasts so long, at least and at most
    weight = 1           # how often it is chosen, compared with others
    touches = ""         # two that touch the same do not last at the same time; "": no matter

    def apply(self, world, rng):
        """-> Hit, or None when there is nothing to be hit just now."""
        raise NotImplementedError

    def lift(self, world):
        """The fault ends.  Returns when what was taken away is there again."""

    @staticmethod
    def a_daemon(world, rng):
        """One that runs, or None."""
        running = [daemon for daemon in world.daemons if daemon.is_running()]
        return rng.choice(running) if running else None
