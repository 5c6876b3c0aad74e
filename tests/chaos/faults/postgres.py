"""The server: stopped, crashed, its sessions ended."""

import os
import signal

from faults.fault import Fault, Hit
from harness.psql import NotSent, Refused, Uncertain

OTHERS = "from pg_stat_activity where usename = 'pgcrew_worker' and pid <> pg_backend_pid()"


class StopPostgres(Fault):
    touches = "server"
    mode = "fast"

    def apply(self, world, rng):
        if not world.cluster.is_running():
            return None
        world.cluster.stop(self.mode)
        return Hit("the server", world.daemons)

    def lift(self, world):
        world.cluster.start()


class ImmediateStop(StopPostgres):
    name = "server immediate stop"
    hold_s = (0, 4)
    mode = "immediate"


class FastRestart(StopPostgres):
    name = "server fast restart"
    mode = "fast"


class KillServer(StopPostgres):
    name = "server killed"
    hold_s = (0, 2)

    def apply(self, world, rng):
        if not world.cluster.is_running():
            return None
        world.cluster.kill()
        return Hit("the server", world.daemons)


class AskServer(Fault):
    """One statement of a superuser hits sessions of daemons."""

    statement = ""

    def apply(self, world, rng):
        session = world.psql("chaos-fault")
        try:
            hit = session.value(self.statement)
        except (NotSent, Refused, Uncertain):
            return None
        finally:
            session.close()
        return Hit(f"{hit} sessions", world.daemons) if hit != "0" else None


class TerminateStorm(AskServer):
    name = "terminate storm"
    statement = f"select count(pg_terminate_backend(pid)) {OTHERS}"


class TerminateOne(AskServer):
    name = "terminate one"
    statement = ("select count(pg_terminate_backend(pid)) "
                 f"from (select pid {OTHERS} order by random() limit 1) x")


class CancelStorm(AskServer):
    """Statements are cancelled for a while: whoever asks again is cancelled again."""

    name = "cancel storm"
    statement = "select chaos.cancel_all(20, 0.05)"


class KillBackend(Fault):
    """A crash of one session: the server ends all of them and recovers."""

    name = "kill backend"
    touches = "server"

    def apply(self, world, rng):
        session = world.psql("chaos-fault")
        try:
            pids = [int(row[0]) for row in session.ask(f"select pid {OTHERS} order by pid")]
        except (NotSent, Refused, Uncertain):
            return None
        finally:
            session.close()
        if not pids:
            return None
        pid = rng.choice(pids)
        os.kill(pid, signal.SIGKILL)
        return Hit(f"backend {pid}", world.daemons)
