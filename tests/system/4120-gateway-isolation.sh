#!/usr/bin/env bash
# Nothing of one request is visible in the next: 50 users at once over two sessions, with
# errors, clients that leave and sessions that are killed in between.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"

gateway_database
# What the login finds in its session before it becomes a user, as the server logs it.
sql "create schema spy;
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

user_n="lpad((n)::text, 8, '0') || '-0000-4000-8000-000000000001'"
sql "insert into public.jobs (user_id, batch_id, kind)
     select ($user_n)::uuid, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, case m when 0 then 'audited' else 'mail' end
       from generate_series(0, 49) n, generate_series(0, n) m"

run_many() { PYTHONPATH="$here" python3 -B "$here/gateway_many.py" "$gateway_port" "$@"; }
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

found=$(sed -n 's/^.* LOG:  found: /found: /p' "$pg_dir/server.log" | sort | uniq -c)
ok 'what the sessions had before each request was looked at' test "$(awk '{ n += $1 } END { print n }' <<<"$found")" -gt 1500
is "$(sed 's/^ *[0-9]* //' <<<"$found" | sort -u)" 'found: pgcrew_gateway none [  ] off
found: pgcrew_gateway none off' 'nothing was left in any of them'
done_testing
