#!/usr/bin/env python3
"""200 listeners of one batch, PORT USER BATCH: until a line comes in, then until its end."""
import sys

from gateway_client import Events, mint


def main():
    port, sub, batch = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    # Tokens of one session differ in their times.
    crowd = [Events(port, batch, mint(sub, aud="authenticated", iat=1700000000 + n)) for n in range(200)]
    for one in crowd:
        event, data = next(iter(one))
        assert (one.status, event, len(data["jobs"])) == (200, "status", 2), (one.status, event, data)
    print("all listen", flush=True)
    sys.stdin.readline()
    for one in crowd:
        told = []
        for event, data in one:
            told.append(event)
            if event == "done":
                break
        assert told.count("job") == 2 and told[-1] == "done", told
    print("all have heard", flush=True)


main()
