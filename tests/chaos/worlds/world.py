"""What every world is: a PostgreSQL, daemons on it, and how each of them is reached.

A world of its own overrides what differs: make_database() when the server is not one plain
cluster, daemon_url() and daemon_prefix() when daemons reach it another way than the test does,
clean_up() for what it has made outside of its folder.
"""

import os
import subprocess

from harness import kinds
from harness.cluster import Cluster
from harness.daemon import Daemon
from harness.psql import Psql

JOURNAL = os.path.join(os.path.dirname(__file__), "..", "harness", "journal.sql")


class World:
    name = ""
    excuses = ()  # rules of the checker that do not hold here, each with its reason in the world

    def __init__(self, home, build, daemons=2, workers=2):
        """home: an empty folder, everything is below it.  build: where pgcrew was built."""
        self.home = home
        self.build = build
        self.n_daemons = daemons
        self.n_workers = workers
        self.handler_ledger = os.path.join(home, "handlers.jsonl")
        self.cluster = None
        self.daemons = []
        self.extra_env = {}

    # --- what a world may override ----------------------------------------------

    @classmethod
    def why_not(cls):
        """Why this machine cannot have such a world; None when it can."""
        return None

    @classmethod
    def prepare(cls):
        """Before anything is made.  May start the program again, in namespaces of its own."""

    def make_database(self):
        """Make and start what the daemons connect to; sets self.cluster."""
        self.cluster = Cluster(os.path.join(self.home, "pg"))
        self.cluster.make()
        self.cluster.start()

    def admin_conninfo(self):
        """How the test itself reaches the database, past whatever is between it and the daemons."""
        return self.cluster.conninfo()

    def client_conninfo(self):
        """How the producer of jobs reaches it."""
        return self.admin_conninfo()

    def client_prefix(self):
        """What is put before the psql of test and producer."""
        return []

    def daemon_url(self, number):
        """database.url of a daemon (1, 2 ...)."""
        return self.cluster.conninfo(user="pgcrew_worker")

    def gateway_url(self, number):
        """gateway.database_url of a daemon."""
        return self.daemon_url(number).replace("pgcrew_worker", "pgcrew_gateway")

    def daemon_prefix(self, number):
        """What is put before its command; must end in an exec of it."""
        return []

    def daemon_env(self, number):
        """Variables on top of ours."""
        return dict(self.extra_env)

    def daemon_config(self, number):
        """More lines of its pgcrew.yaml, each with its end."""
        return ""

    def mend(self):
        """All faults are over: everything runs, or is made to."""
        self.cluster.start()
        for daemon in self.daemons:
            daemon.start()

    def clean_up(self):
        """Undo what was made outside of home.  Called however the run ended."""

    # --- the same for all -----------------------------------------------------------

    def set_up(self):
        os.chmod(self.home, 0o755)
        with open(self.handler_ledger, "w", encoding="utf-8"):
            os.chmod(self.handler_ledger, 0o666)
        self.make_database()
        self.migrate()
        self.daemons = [Daemon(self, number + 1, self.n_workers) for number in range(self.n_daemons)]

    def start(self):
        for daemon in self.daemons:
            daemon.start()

    def migrate(self):
        env = dict(os.environ, PGCREW_DATABASE_URL=self.admin_conninfo())
        subprocess.run([*self.client_prefix(), os.path.join(self.build, "pgcrew"), "migrate"], env=env,
                       check=True, stdout=subprocess.DEVNULL)
        with open(JOURNAL, encoding="utf-8") as file:
            self.run_sql(file.read() + "alter role pgcrew_worker login; alter role pgcrew_gateway login;")

    def run_sql(self, script):
        """A script as the superuser, as one transaction."""
        subprocess.run([*self.client_prefix(), self.cluster.program("psql"), "-Xq1", "-v", "ON_ERROR_STOP=1",
                        self.admin_conninfo()], input=script.encode(), check=True,
                       stdout=subprocess.DEVNULL)

    def psql(self, name):
        """A session for the test, past the faults of the network."""
        return Psql(self.admin_conninfo(), name, self.client_prefix())

    def client_psql(self, name):
        """A session for the producer."""
        return Psql(self.client_conninfo(), name, self.client_prefix())

    def kinds(self):
        """Those that are enqueued here."""
        return kinds.KINDS

    def tear_down(self):
        for daemon in self.daemons:
            daemon.kill()
        try:
            self.clean_up()
        finally:
            if self.cluster is not None:
                self.cluster.stop("immediate")
