#!/usr/bin/env python3
"""PORT TOKEN BATCH N: N listeners of a batch, until the standard input ends."""
import socket
import sys


def listen(port, token, batch):
    one = socket.create_connection(("127.0.0.1", port), timeout=60)
    one.sendall(f"GET /api/batches/{batch}/events?job_limit=0 HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {token}\r\n\r\n".encode())
    return one


def main():
    port, token, batch, n = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    crowd = []
    for _ in range(n):
        crowd.append(listen(port, token, batch))
        if len(crowd) % 100 == 0:  # the kernel's queue is not for thousands
            for one in crowd[-100:]:
                said = b""
                while b"event: status" not in said:
                    more = one.recv(65536)
                    assert more, said
                    said += more
    print("all listen", flush=True)
    sys.stdin.read()


main()
