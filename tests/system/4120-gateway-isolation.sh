#!/usr/bin/env bash
# Nothing of one request is visible in the next: 50 users at once over two sessions, with
# errors, clients that leave and sessions that are killed in between.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"

gateway_database
# What the login finds in its session before it becomes a user, as the server logs it.
sql "create schema spy
     create function spy.set_config(text, text, boolean) returns text language plpgsql as \$\$
       begin
         if \$1 = 'role' then
           raise log 'found: %', concat_ws(' ', current_user, current_setting('role'), '[' || current_setting('request.jwt.claims', true),
             current_setting('request.method', true), current_setting('request.path', true) || ']',
             current_setting('transaction_read_only'));
         end if;
         return pg_catalog.set_config(\$1, \$2, \$3);
       end \$\$"
sql 'grant usage on schema spy to public'
sql "alter role pgcrew_gateway set search_path = spy, pg_catalog, public"
# Another role sees by another policy; statements and their plans are the same.
sql "create role auditor nologin; grant authenticated, auditor to pgcrew_gateway"
sql "grant usage on schema public, auth to auditor; grant select on public.jobs to auditor;
     grant execute on function public.batch_status(uuid, int) to auditor"
sql "create policy jobs_auditor on public.jobs for select to auditor using (kind = 'audited')"
sql "insert into pgcrew.kinds (kind) values ('audited')"
gateway_start 'gateway.roles=[authenticated, auditor]' gateway.sessions=2

cat >"$gateway_dir/many.py" <<'END'
"""Prints what went wrong, and at the end how much was done."""
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
        status, _ = client.call("POST", "/api/jobs", tokens[n], '{"kind": "mail", "payload": "%s"}' % users[n])
        check("enqueue", status, 201) if status != 503 else check("enqueue", (503,))
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
END

user_n="lpad((n)::text, 8, '0') || '-0000-4000-8000-000000000001'"
sql "insert into public.jobs (user_id, batch_id, kind)
     select ($user_n)::uuid, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, case m when 0 then 'audited' else 'mail' end
       from generate_series(0, 49) n, generate_series(0, n) m"

run_many() { PYTHONPATH="$here" python3 -B "$gateway_dir/many.py" "$gateway_port" "$@"; }
out=$(run_many)
is "$out" 'done 1200 away 0' '1,200 requests of 50 users: each answer is the right one'
is "$(sql "select count(*) from public.jobs where kind = 'mail' and payload <> '{}' and payload <> to_jsonb(user_id::text)")" 0 \
    'jobs belong to who put them in'
ok 'and there are some' test "$(sql "select count(*) from public.jobs where payload <> '{}'")" -gt 20
ok 'it took a few sessions only' test "$(sql "select count(*) from pg_stat_activity where application_name ~ '/gateway\$'")" = 2

out=$(run_many kill)
like "$out" '^done 1200 away [1-9][0-9]*$' 'the same while sessions are killed, but for those that say 503'
not_ok 'no other answer was wrong' grep -q wrong <<<"$out"
is "$(sql "select count(*) from public.jobs where payload <> '{}' and payload <> to_jsonb(user_id::text)")" 0 \
    'jobs belong to who put them in'

found=$(grep -o 'found: .*' "$pg_dir/server.log" | sort | uniq -c)
ok 'what the sessions had before each request was looked at' test "$(awk '{ n += $1 } END { print n }' <<<"$found")" -gt 1500
is "$(sed 's/^ *[0-9]* //' <<<"$found" | sort -u)" 'found: pgcrew_gateway none [  ] off
found: pgcrew_gateway none off' 'nothing was left in any of them'
done_testing
