"""Clients of the gateway for tests: tokens, keep-alive connections, event streams."""
import base64
import hashlib
import hmac
import http.client
import json
import time

SECRET = b"super-secret-jwt-token-with-at-least-32-characters-long"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mint(sub, **claims):
    """A token of this user that lives an hour, unless claims say otherwise."""
    now = int(time.time())
    payload = {"sub": sub, "role": "authenticated", "iat": now, "exp": now + 3600, **claims}
    head = base64url(b'{"alg":"HS256","typ":"JWT"}') + "." + base64url(json.dumps(payload).encode())
    return head + "." + base64url(hmac.new(SECRET, head.encode(), hashlib.sha256).digest())


class Client:
    """One connection that is kept, and made anew when it was closed."""

    def __init__(self, port):
        self.port = port
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def send(self, method, path, token=None, body=None):
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": "Bearer " + token} if token else {}
        self.connection.request(method, path, body=body, headers=headers)

    def call(self, method, path, token=None, body=None):
        """(status, what the JSON says)."""
        self.send(method, path, token, body)
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


class Events:
    """An event stream: a generator of (event, data)."""

    def __init__(self, port, batch, token, query="", headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("GET", f"/api/batches/{batch}/events?access_token={token}{query}",
                                headers=headers or {})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.last_id = None

    def __iter__(self):
        event, data = None, None
        for line in self.answer:
            line = line.decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "data":
                data = json.loads(value)
            elif name == "id":
                self.last_id = value
            elif not line and event:
                yield event, data
                event, data = None, None

    def close(self):
        self.connection.close()
