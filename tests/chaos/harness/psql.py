"""A session with the database: one psql that stays, asked over its pipes."""

import contextlib
import os
import selectors
import subprocess
import tempfile
import time

from harness.cluster import bin_folder

# The answer ends with this line, the error and its SQLSTATE.
MARK = "--answered--"


class Refused(Exception):
    """The server has said no: the statement had no effect.  sqlstate is its code."""

    def __init__(self, sqlstate, text):
        super().__init__(f"{sqlstate}: {text}")
        self.sqlstate = sqlstate


class Uncertain(Exception):
    """The session was lost before the answer: the statement may have been committed."""


class NotSent(Exception):
    """There is no session and none could be had: nothing was asked."""


class Psql:
    """conninfo as libpq reads it; prefix is put before the command (ip netns exec ...)."""

    def __init__(self, conninfo, name="chaos", prefix=(), timeout_s=15):
        self.command = [*prefix, os.path.join(bin_folder(), "psql"), "-XAtq", "-F", "\t",
                        f"{conninfo} application_name={name}"]
        self.timeout_s = timeout_s
        self.child = None
        self.buffer = b""
        # Not among the answers: what a server says that goes down has no place in them.
        self.errors = tempfile.TemporaryFile()

    def close(self):
        if self.child is not None:
            self.child.kill()
            with contextlib.suppress(BrokenPipeError):  # what it was not told any more
                self.child.stdin.close()
            self.child.stdout.close()
            self.child.wait()
            self.child = None
        self.buffer = b""

    def ask(self, statement):
        """Rows as lists of texts.  A lost session is made anew at the next call."""
        if self.child is None:
            self._open()
        try:
            return self._exchange(statement)
        except Uncertain:
            self.close()
            raise

    def value(self, statement):
        rows = self.ask(statement)
        return rows[0][0] if rows else None

    def _open(self):
        env = dict(os.environ, PGCONNECT_TIMEOUT="5", PGCLIENTENCODING="UTF8")
        self.child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=self.errors, env=env, bufsize=0, start_new_session=True)
        os.set_blocking(self.child.stdout.fileno(), False)
        try:
            self._exchange("select 1")
        except (Uncertain, Refused) as why:
            self.close()
            raise NotSent(str(why)) from None

    def _exchange(self, statement):
        try:
            self.child.stdin.write(f"{statement};\n\\echo {MARK} :ERROR :SQLSTATE\n".encode())
        except BrokenPipeError:
            raise Uncertain("psql has ended") from None
        lines = []
        while True:
            line = self._line()
            if line.startswith(MARK):
                failed, sqlstate = (line.split() + ["", ""])[1:3]
                break
            lines.append(line)
        if failed == "true":
            # psql says so for a lost session, too, and then ends or connects anew by itself.
            if sqlstate in ("00000", "") or sqlstate.startswith(("57P", "08")):
                raise Uncertain(self._said())
            raise Refused(sqlstate, self._said())
        return [line.split("\t") for line in lines]

    def _said(self):
        """The end of what it has complained about."""
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip().replace("\n", "; ")[-300:]

    def _line(self):
        end = time.monotonic() + self.timeout_s
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.child.stdout, selectors.EVENT_READ)
            while b"\n" not in self.buffer:
                left = end - time.monotonic()
                if left <= 0 or not waiting.select(left):
                    raise Uncertain("no answer in time")
                got = os.read(self.child.stdout.fileno(), 65536)
                if not got:
                    raise Uncertain("psql has ended: " + self._said())
                self.buffer += got
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode(errors="replace")
