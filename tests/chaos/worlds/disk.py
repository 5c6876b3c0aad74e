"""Little room on the disk of the database, and on those that daemons write to."""

import os
import shutil

from environment import volume
from environment.volume import Volume
from harness.cluster import Cluster
from worlds.sandboxed import Sandboxed

DATABASE_MIB, DAEMON_MIB = 256, 4
SMALL = "max_wal_size = 48MB\nmin_wal_size = 32MB\n"


class Disk(Sandboxed):
    name = "disk"
    needs = (volume,)

    def make_database(self):
        self.volumes = {}
        self.disk = Volume(f"{self.home}/pg", DATABASE_MIB)
        self.cluster = Cluster(f"{self.home}/pg", conf=SMALL)
        self.cluster.make()
        self.cluster.start()

    def set_up(self):
        super().set_up()
        for daemon in self.daemons:
            state = f"{daemon.home}/state"
            self.volumes[daemon.name] = Volume(state, DAEMON_MIB)
            daemon.log = f"{state}/log"
            shutil.rmtree(daemon.tmp)
            daemon.tmp = f"{state}/tmp"
            os.makedirs(daemon.tmp)
            os.chmod(daemon.tmp, 0o777)

    def mend(self):
        for each in (self.disk, *self.volumes.values()):
            each.free()
        super().mend()
