"""Each daemon on a machine of its own, the database at the other end of a cable."""

from environment import link
from environment.link import Link
from harness.cluster import Cluster
from worlds.sandboxed import Sandboxed

# libpq's own words for noticing a half-open connection sooner than by our defaults.
TUNED = "keepalives_idle=1 keepalives_interval=1 keepalives_count=2 tcp_user_timeout=3000"


class Network(Sandboxed):
    """Daemons with an even number notice a cut sooner, the others by the defaults."""

    name = "network"
    needs = (link,)

    def make_database(self):
        self.links = {number: Link(number) for number in range(1, self.n_daemons + 1)}
        self.cluster = Cluster(f"{self.home}/pg", listen="*")
        self.cluster.make()
        with open(f"{self.cluster.data}/pg_hba.conf", "a", encoding="utf-8") as file:
            file.write(f"host all all {link.EVERYBODY} trust\n")
        self.cluster.start()

    def daemon_url(self, number):
        return (self.cluster.conninfo("pgcrew_worker", self.links[number].database) +
                " sslmode=disable " + ("" if number % 2 else TUNED))

    def daemon_prefix(self, number):
        return self.links[number].enter

    def daemon_config(self, number):
        return "database.connect_timeout: 2s\n"

    def mend(self):
        for cable in self.links.values():
            cable.heal()
        super().mend()

    def clean_up(self):
        for cable in getattr(self, "links", {}).values():
            cable.close()
