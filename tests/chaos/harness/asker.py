"""A user's browser: asks the gateways how far batches are, whatever happens to them."""

import base64
import hashlib
import hmac
import http.client
import json
import random
import socket

from harness.background import Background

SECRET = "a-secret-of-the-chaos-that-is-long-enough"
PATIENCE_S = 10
# There is no session with the database just now, or too much is under way.
EXCUSED = 503


def token(user):
    """Of a user, for longer than any clock of a world is wrong."""
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=")
    claims = {"sub": user, "role": "authenticated", "exp": 4102444800}
    text = part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode()) + b"." + part(json.dumps(claims).encode())
    return (text + b"." + part(hmac.new(SECRET.encode(), text, hashlib.sha256).digest())).decode()


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("gateway", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Asker(Background):
    pause_s = 0.05

    def __init__(self, world, owners, seed):
        """owners: a function that says whose the batches are so far, {batch: user}."""
        super().__init__("asker")
        self.world = world
        self.owners = owners
        self.rng = random.Random(seed)
        self.answered = 0
        self.unanswered = 0

    def turn(self):
        known = [(batch, user) for batch, user in list(self.owners().items()) if user]
        if not known:
            return
        batch, user = self.rng.choice(known[-8:])
        daemon = self.rng.choice(self.world.daemons)
        try:
            status, body = self.ask(daemon.gateway_socket, batch, user)
        except (OSError, http.client.HTTPException):
            self.unanswered += 1  # the daemon, or its gateway, is being killed or is not there
            return
        self.judge(batch, status, body)

    @staticmethod
    def ask(path, batch, user):
        connection = Connection(path)
        try:
            connection.request("GET", f"/api/batch_status?batch_id={batch}&job_limit=0",
                               headers={"Authorization": "Bearer " + token(user), "Connection": "close"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def judge(self, batch, status, body):
        """What is answered is the truth, or that there is none to be had."""
        if status == EXCUSED:
            self.unanswered += 1
            return
        if status != 200:
            raise RuntimeError(f"batch {batch}: the gateway answers {status}: {body!r}")
        # Whether its counts are right is the checker's to say, of what the watcher has polled.
        if json.loads(body)["batch_id"] != batch:
            raise RuntimeError(f"batch {batch}: the gateway answers {body!r}")
        self.answered += 1
