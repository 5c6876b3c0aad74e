"""Faults, found by themselves: a module here, a subclass of Fault with a name."""

from harness.registry import find

from faults.fault import Fault


def faults_of(world):
    """The faults that can happen in a world, by name."""
    return {name: cls for name, cls in find("faults", Fault).items()
            if cls.worlds is None or world in cls.worlds}
