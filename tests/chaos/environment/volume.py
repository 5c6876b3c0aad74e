"""A file system of limited size that can be filled up and freed."""

import contextlib
import errno
import os
import subprocess

PAGE = bytes(4096)


def why_not():
    """Nothing but what a sandbox needs, too."""
    return None


class Volume:
    """A tmpfs on a folder. Mounted in our own namespace, it goes with us."""

    def __init__(self, path, mib):
        self.path = path
        self.filler = os.path.join(path, "filler")
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "chaos", path],
                       check=True, capture_output=True)

    def fill(self, but_bytes=0):
        """Take all that is free, but so much."""
        with open(self.filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(PAGE)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            file.truncate(max(0, file.tell() - but_bytes))

    def free(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.filler)
