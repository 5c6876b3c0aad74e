#!/usr/bin/env bash
# More than the gateway takes, requests that take too long, sessions lost in the middle.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"

gateway_database
gateway_start gateway.sessions=1 gateway.requests_max=3 gateway.statement_timeout=60s
token=$(mint $user)
new_batch $user 1 1
sql "create or replace function public.cancel_batch(batch_id uuid) returns int language plpgsql as \$\$
       begin
         perform pg_advisory_xact_lock_shared(77);
         return 7;
       end \$\$"
new_batch $user 2 1
sql "create policy slow on public.jobs as restrictive for select to authenticated
     using (batch_id <> '$(batch 2)' or pg_advisory_xact_lock_shared(77)::text = '')"

# hold: requests stop in the database until let_go.
hold() {
    mkfifo "$daemon_dir/hold"
    PGAPPNAME=holder psql -XAtq <"$daemon_dir/hold" >/dev/null &
    exec 6>"$daemon_dir/hold"
    echo 'select pg_advisory_lock(77);' >&6
    wait_for 10 is_held
}
is_held() { [ "$(sql "select count(*) from pg_locks where locktype = 'advisory' and objid = 77 and granted")" -gt 0 ]; }
let_go() {
    exec 6>&-
    rm -f "$daemon_dir/hold"
}
# later NAME METHOD PATH: in the background; answered NAME is its status and body.
later() {
    curl -s -m 60 -w ' %{http_code}' -X "$2" -H "Authorization: Bearer $token" "$gateway$3" >"$daemon_dir/$1" 2>&1 6>&- &
}
has_answer() { [ -s "$daemon_dir/$1" ]; }
backend="from pg_stat_activity where application_name ~ '/gateway$'"
waits() { [ "$(sql "select count(*) $backend and wait_event_type = 'Lock'")" -gt 0 ]; }
n_begun() { [ $(($(grep -c 'execute user_cancel_batch' "$pg_dir/server.log") - begun)) = "$1" ]; }

# --- too many ---------------------------------------------------------------------------------
hold
for n in 1 2 3; do later "held$n" POST "/api/batches/$(batch 1)/cancel"; done
ok 'requests wait in the database' wait_for 10 waits
is_full() { call_as "$token" GET "/api/batch_status?batch_id=$(batch 1)" -m 1; [ "$status" = 503 ]; }
ok 'no more than gateway.requests_max' wait_for 10 is_full
is "$(field .code) $(header Retry-After)" '53300 1' 'who comes then is told to come again'
call GET "/api/batch_status?batch_id=$(batch 1)"
answers 401 'who has no token is told so all the same'
let_go
for n in 1 2 3; do
    ok 'those that waited are answered' wait_for 10 has_answer "held$n"
    is "$(cat "$daemon_dir/held$n")" '{"cancelled": 7} 200' 'well'
done
call_as "$token" GET "/api/batch_status?batch_id=$(batch 1)"
answers 200 'and there is room again'

# --- a session is lost ----------------------------------------------------------------------------
hold
later write POST "/api/batches/$(batch 1)/cancel"
ok 'a write is under way' wait_for 10 waits
sql "select pg_terminate_backend(pid) $backend" >/dev/null
ok 'its session is lost' wait_for 10 has_answer write
like "$(cat "$daemon_dir/write")" 'may have happened or not.* 503$' 'and it is said that it may have happened'
wait_for 20 gateway_is_ready
later read GET "/api/batch_status?batch_id=$(batch 2)"
ok 'a read is under way' wait_for 10 waits
sql "select pg_terminate_backend(pid) $backend" >/dev/null
ok 'its session is lost' wait_for 10 has_answer read
like "$(cat "$daemon_dir/read")" 'not available.* 503$' 'a read is simply tried again'
wait_for 20 gateway_is_ready
let_go

# --- it takes too long ------------------------------------------------------------------------------
stop_daemon
sql 'drop policy slow on public.jobs'
gateway_start gateway.sessions=1 gateway.statement_timeout=500ms
hold
later slow POST "/api/batches/$(batch 1)/cancel"
wait_for 10 waits || echo '# it does not wait'
call_as "$token" GET "/api/batch_status?batch_id=$(batch 1)"
answers 200 'a request behind one that takes too long is answered'
like "$(cat "$daemon_dir/slow")" '57014.* 504$' 'that one is ended'
let_go

# --- clients leave ------------------------------------------------------------------------------------
hold
begun=$(grep -c 'execute user_cancel_batch' "$pg_dir/server.log")
for n in {1..20}; do curl -s -m 0.2 -X POST -H "Authorization: Bearer $token" "$gateway/api/batches/$(batch 1)/cancel" >/dev/null 6>&- & done
ok 'clients that leave without waiting' wait_for 30 n_begun 20
let_go
call_as "$token" GET "/api/batch_status?batch_id=$(batch 1)"
answers 200 'hurt nobody'
not_ok 'nothing has crashed' logged 'gateway.*(signal|crash|starting it again)'
done_testing
