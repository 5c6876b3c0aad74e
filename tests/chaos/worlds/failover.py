"""A primary and a synchronous standby; daemons know both."""

from environment.replicas import Replicas
from harness.cluster import Cluster
from worlds.sandboxed import Sandboxed


class Failover(Sandboxed):
    name = "failover"
    must_be = False

    def make_database(self):
        first, second = (Cluster(f"{self.home}/{name}") for name in ("pg1", "pg2"))
        first.make()
        first.start()
        self.cluster = first
        self.replicas = Replicas(first, second)
        self.replicas.rebuild()
        self.replicas.count_on_standby()

        self.cluster = self.replicas.primary

    def fail_over(self):
        self.replicas.fail_over()
        self.cluster = self.replicas.primary

    def admin_conninfo(self):
        return self.replicas.conninfo("postgres")

    def daemon_url(self, number):
        return self.replicas.conninfo("pgcrew_worker")

    def daemon_config(self, number):
        return "database.connect_timeout: 2s\n"

    def clean_up(self):
        if hasattr(self, "replicas"):
            self.replicas.standby.stop("immediate")
