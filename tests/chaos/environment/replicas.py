"""A primary and its standby, which change places.

Commits are answered when the standby has them too, so what was acknowledged survives the
primary. A standby is only counted on when it has caught up; a new failover waits for that.
"""

import os
import shutil
import subprocess
import time

STANDBY = "chaos_standby"


class Replicas:
    """Two clusters on the same port with run folders of their own; the first runs already."""

    def __init__(self, primary, standby):
        self.primary, self.standby = primary, standby
        self.counted_on = False

    def conninfo(self, user):
        """Both, and whichever may be written to is taken."""
        nodes = sorted([self.primary, self.standby], key=lambda node: node.home)
        return (f"host={','.join(node.run for node in nodes)} "
                f"port={','.join(str(node.port) for node in nodes)} "
                f"dbname=postgres user={user} target_session_attrs=read-write")

    def sql(self, query):
        done = subprocess.run([self.primary.program("psql"), "-XAtq", "-v", "ON_ERROR_STOP=1",
                               self.primary.conninfo(), "-c", query], check=True, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=60)
        return done.stdout.strip()

    def rebuild(self):
        """Make the standby anew of the primary: whatever it had is thrown away."""
        new = self.standby
        new.stop("immediate")
        shutil.rmtree(new.data, ignore_errors=True)
        new.make_folders()
        new.call("pg_basebackup", "-D", new.data, "-X", "stream", "-c", "fast", "-h", self.primary.run,
                 "-p", str(self.primary.port), "-U", "postgres")
        with open(os.path.join(new.data, "postgresql.auto.conf"), "a", encoding="utf-8") as file:
            file.write(f"primary_conninfo = 'host={self.primary.run} port={self.primary.port} "
                       f"user=postgres application_name={STANDBY}'\n"
                       f"unix_socket_directories = '{new.run}'\nsynchronous_standby_names = ''\n")
        with open(os.path.join(new.data, "standby.signal"), "w", encoding="utf-8"):
            pass
        new.start()

    def count_on_standby(self, seconds=60):
        """Wait until it streams; from then on commits wait for it. False: it did not in time."""
        end = time.monotonic() + seconds
        if not self._until("state = 'streaming'", end):
            return False
        self.sql(f"alter system set synchronous_standby_names = '{STANDBY}'")
        self.sql("select pg_reload_conf()")
        # What was committed while nobody waited for it must be there, too.
        mark = self.sql("select pg_current_wal_insert_lsn()")
        self.counted_on = self._until(f"sync_state = 'sync' and flush_lsn >= '{mark}'", end)
        return self.counted_on

    def _until(self, condition, end):
        while self.sql(f"select count(*) from pg_stat_replication where {condition}") != "1":
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def fail_over(self):
        """The primary is lost at once, and the standby takes its place."""
        if not self.counted_on:
            raise RuntimeError("the standby may lack what was acknowledged")
        self.counted_on = False
        self.primary.stop("immediate")
        self.take_over()

    def take_over(self):
        self.counted_on = False
        self.standby.call("pg_ctl", "-D", self.standby.data, "-w", "-t", "60", "promote")
        self.primary, self.standby = self.standby, self.primary
