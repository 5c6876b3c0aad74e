"""Asks /healthz all the time, over a new connection each time, until it is told to end.

front_asker.py OUT ADDRESS...   ADDRESS is HOST:PORT or the path of a socket

OUT gets a line for each request that was not answered with 200: "refused", "broken", or its
status; OUT.count says how many were asked so far.
"""

import signal
import socket
import sys
import time

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def connect(address):
    if address.startswith("/"):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(address)
        return s
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def ask(address):
    try:
        s = connect(address)
    except OSError:
        return "refused"
    try:
        with s:
            s.sendall(REQUEST)
            answer = b""
            while chunk := s.recv(4096):
                answer += chunk
    except OSError:
        return "broken"
    return answer.split(b" ")[1].decode() if answer.startswith(b"HTTP/1.1 ") else "broken"


def main():
    out, addresses = sys.argv[1], sys.argv[2:]
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    n = 0
    with open(out, "w", encoding="ascii") as trouble:
        while going:
            for address in addresses:
                verdict = ask(address)
                n += 1
                if verdict != "200":
                    print(address, verdict, file=trouble, flush=True)
            with open(out + ".count", "w", encoding="ascii") as count:
                print(n, file=count)
            time.sleep(0.002)


main()
