"""Daemons with database.durability: relaxed, whose newest claims and ends a crash may undo."""

from worlds.plain import Plain


class Relaxed(Plain):
    name = "relaxed"
    # A batch may go back with the ends that were undone.  A claim that was undone has never been,
    # and its job may be claimed again before its worker has heard of it.
    excuses = ("batch goes back", "ran without lease", "attempts overlap")

    def daemon_config(self, number):
        return "database.durability: relaxed\n"
