"""Something stands between daemons and the server: PgBouncer, or a proxy of ours."""

from environment import pooler
from environment.pooler import PORT, Pooler
from environment.proxy import Proxy
from harness.cluster import as_server
from worlds.sandboxed import Sandboxed


class BehindPooler(Sandboxed):
    needs = (pooler,)
    must_be = False
    mode = ""

    def make_database(self):
        super().make_database()
        server = f"host={self.cluster.run} port={self.cluster.port} user=pgcrew_worker"
        self.pooler = Pooler(f"{self.home}/pooler", self.mode, server, as_server)
        self.pooler.start()

    def daemon_url(self, number):
        return f"host={self.pooler.folder} port={PORT} dbname=postgres user=pgcrew_worker"

    def gateway_url(self, number):
        """The pooler's sessions are all of one role."""
        return self.cluster.conninfo("pgcrew_gateway")

    def mend(self):
        self.pooler.start()
        super().mend()

    def clean_up(self):
        if hasattr(self, "pooler"):
            self.pooler.kill()


class TransactionPooler(BehindPooler):
    name = "transaction pooler"
    mode = "transaction"


class SessionPooler(BehindPooler):
    name = "session pooler"
    mode = "session"


class BehindProxy(Sandboxed):
    name = "proxy"
    must_be = False

    def make_database(self):
        super().make_database()
        self.proxy = Proxy(f"{self.cluster.run}/.s.PGSQL.{self.cluster.port}")

    def daemon_url(self, number):
        return f"host=127.0.0.1 port={self.proxy.port} dbname=postgres user=pgcrew_worker sslmode=disable"

    def mend(self):
        self.proxy.heal()
        super().mend()

    def clean_up(self):
        if hasattr(self, "proxy"):
            self.proxy.close()
