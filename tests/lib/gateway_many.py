#!/usr/bin/env python3
"""50 users at once, PORT [kill]: prints what went wrong, and at the end how much was done.

User n has a batch of n + 1 jobs, one of which is audited.
"""
import random
import subprocess
import sys
import threading
import time

from gateway_client import Client, mint

PORT, USERS, THREADS, EACH = int(sys.argv[1]), 50, 10, 120
random.seed(6)
users = [f"{n:08d}-0000-4000-8000-000000000001" for n in range(USERS)]
batches = [f"00000000-0000-4000-8000-{n:012d}" for n in range(USERS)]
tokens = [mint(sub) for sub in users]
auditors = [mint(sub, role="auditor") for sub in users]
done, wrong, away = [], [], []


def check(what, answer, *expected):
    done.append(what)
    if answer[0] == 503:
        away.append(what)
    elif answer not in expected:
        wrong.append((what, answer, expected))


def short(answer):
    status, said = answer
    if status == 200 and "batch_id" in said:
        return status, said["batch_id"], said["total"], len(said["jobs"])
    return status, said.get("code")


def one(client, n, dice):
    other = random.choice([m for m in range(USERS) if m != n])
    path = "/api/batch_status?batch_id="
    if dice < 50:
        check("own", short(client.call("GET", path + batches[n], tokens[n])), (200, batches[n], n + 1, min(n + 1, 100)))
    elif dice < 65:
        check("other", short(client.call("GET", path + batches[other], tokens[n])), (404, "PT404"))
    elif dice < 75:
        # The auditor sees one job of each batch, whoever's it is.
        check("auditor", short(client.call("GET", path + batches[other], auditors[n])), (200, batches[other], 1, 1))
    elif dice < 80:
        check("no token", short(client.call("GET", path + batches[n])), (401, "PGRST302"))
    elif dice < 84:
        check("error", short(client.call("POST", "/rest/v1/rpc/batch_status", tokens[n], '{"batch_id": "x"}')), (400, "22P02"))
    elif dice < 88:
        check("auditor may not", short(client.call("POST", "/api/jobs", auditors[n], '{"kind": "mail"}')), (403, "42501"))
    elif dice < 94:
        check("enqueue", client.call("POST", "/api/jobs", tokens[n], '{"kind": "mail", "payload": "%s"}' % users[n])[:1], (201,))
    else:
        client.send("GET", path + batches[n], tokens[n])
        client.close()
        done.append("left")


def many(seed):
    client, dice = Client(PORT), random.Random(seed)
    for _ in range(EACH):
        try:
            one(client, dice.randrange(USERS), dice.randrange(100))
        except OSError as why:
            wrong.append(("connection", str(why)))
            client.close()
    client.close()


def kill_sessions():
    while any(t.is_alive() for t in threads):
        time.sleep(0.15)
        subprocess.run(["psql", "-XAtqc", "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where application_name ~ '/gateway$' order by random() limit 1"],
                       stdout=subprocess.DEVNULL, check=True)


threads = [threading.Thread(target=many, args=(seed,)) for seed in range(THREADS)]
for thread in threads:
    thread.start()
if len(sys.argv) > 2:
    kill_sessions()
for thread in threads:
    thread.join()
for each in wrong[:10]:
    print("wrong:", each)
print("done", len(done), "away", len(away))
