"""Worlds: what the daemons and the database live in.  A module here, a subclass of World."""

from harness.registry import find

from worlds.world import World


def worlds():
    """By name."""
    return find("worlds", World)
