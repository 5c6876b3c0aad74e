"""The wall clock of a process: libfaketime, which hears of a jump by a file."""

import glob
import os

MOST_S = 7200  # of a jump
LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1",
             "/usr/lib64/faketime/libfaketime.so.1")


def library():
    for pattern in LIBRARIES:
        for path in glob.glob(pattern):
            return path
    return None


def why_not():
    return None if library() else "libfaketime is not installed"


class Clock:
    """Whose processes are started with environment() have this clock."""

    def __init__(self, path):
        self.path = path
        self.jump(0)

    def environment(self):
        return {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": self.path,
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1"}

    def jump(self, seconds):
        """From now on it differs from the true time by so much; readers see all or nothing."""
        new = self.path + ".new"
        with open(new, "w", encoding="ascii") as file:
            file.write("%+d\n" % seconds)
        os.chmod(new, 0o644)
        os.rename(new, self.path)
