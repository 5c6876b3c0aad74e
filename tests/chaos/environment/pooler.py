"""PgBouncer in front of a server."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

PORT = 6543
CONFIG = """[databases]
* = {server}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = {port}
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 200
server_login_retry = 1
logfile = {folder}/log
ignore_startup_parameters = extra_float_digits
"""


def why_not():
    return None if shutil.which("pgbouncer") else "pgbouncer is not installed"


class Pooler:
    """In a folder of its own, on a unix socket; mode is transaction or session."""

    def __init__(self, folder, mode, server, as_server):
        self.folder, self.as_server, self.process = folder, as_server, None
        self.config = os.path.join(folder, "ini")
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o777)
        with open(self.config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(server=server, folder=folder, port=PORT, mode=mode,
                                     size=4 if mode == "transaction" else 40))

    def _socket(self):
        return os.path.join(self.folder, f".s.PGSQL.{PORT}")

    def start(self):
        """Nothing is done if it runs.  A killed one leaves its socket behind, and the next one takes it for a rival."""
        if self.process is not None:
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._socket())
        self.process = subprocess.Popen(
            self.as_server("pgbouncer", "-q", self.config), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(self._socket()):
                return
            time.sleep(0.05)
        raise RuntimeError("pgbouncer did not start")

    def kill(self, how=signal.SIGKILL):
        if self.process is not None:
            self.process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            self.process.kill()
            self.process.wait()
            self.process = None

    close = kill
