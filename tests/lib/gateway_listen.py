#!/usr/bin/env python3
"""Listen to the events of a batch: PORT BATCH TOKEN [query [Last-Event-ID]].

A line an event: its name, then what is in it.  The first line is the status of the answer.
"""
import json
import sys

from gateway_client import Events


def main():
    port, batch, token = sys.argv[1:4]
    query = sys.argv[4] if len(sys.argv) > 4 else ""
    headers = {"Last-Event-ID": sys.argv[5]} if len(sys.argv) > 5 else {}
    events = Events(int(port), batch, token, query, headers)
    print("answer", events.status, events.answer.getheader("Content-Type"), flush=True)
    if events.status == 200:
        for event, data in events:
            print(event, json.dumps(data), flush=True)
    print("end", events.last_id, flush=True)


main()
