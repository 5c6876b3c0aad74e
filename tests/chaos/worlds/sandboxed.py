"""Worlds in namespaces of their own, with which all they have made ends, however that happens."""

from environment import sandbox
from worlds.world import World


class Sandboxed(World):
    needs = ()  # modules of environment; each says why it cannot be had
    must_be = True  # False: it does without namespaces where there are none

    @classmethod
    def why_not(cls):
        modules = (sandbox, *cls.needs) if cls.must_be else cls.needs
        return next(filter(None, (module.why_not() for module in modules)), None)

    @classmethod
    def prepare(cls):
        if sandbox.why_not() is None:
            sandbox.enter()
