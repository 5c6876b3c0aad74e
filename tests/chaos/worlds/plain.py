"""Daemons of one host and a server of their own beside them, by a Unix socket."""

from worlds.world import World


class Plain(World):
    name = "plain"
