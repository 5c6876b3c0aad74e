"""Daemons of an unprivileged user, whose processes can be short of anything."""

import shutil

from environment.limits import MemoryGroup
from worlds.sandboxed import Sandboxed

USER, GROUP = "nobody", "nogroup"


class Limits(Sandboxed):
    name = "limits"

    @classmethod
    def why_not(cls):
        return super().why_not() or MemoryGroup.why_not()

    @staticmethod
    def as_user():
        return ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups", "--"]

    def daemon_prefix(self, number):
        return self.as_user()

    def set_up(self):
        MemoryGroup.remove_left_overs()
        super().set_up()
        for daemon in self.daemons:
            for path in (daemon.home, daemon.tmp):
                shutil.chown(path, USER, GROUP)

    def clean_up(self):
        MemoryGroup.remove_left_overs()
