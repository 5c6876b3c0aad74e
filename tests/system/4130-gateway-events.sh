#!/usr/bin/env bash
# GET /api/batches/ID/events: what is told, to whom, until when.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"

gateway_database
sql "insert into pgcrew.kinds (kind) values ('step'), ('idle')"
daemon_setup
handlers "  step:
    exec: [/bin/sh, -c, 'echo 10 begun >&3; until [ -e $daemon_dir/half ]; do sleep 0.05; done; echo 50 half >&3; until [ -e $daemon_dir/go ]; do sleep 0.05; done; echo 1']"
gateway_start gateway.watch_interval=300ms gateway.listeners_max=230 gateway.listeners_per_user=210 worker.slots=4
token=$(mint $user)
token2=$(mint $user2)

# listen NAME BATCH TOKEN [query [Last-Event-ID]]: in the background; its lines are in $daemon_dir/NAME.
listen() {
    PYTHONPATH="$here" python3 -B "$here/gateway_listen.py" "$gateway_port" "$(batch "$2")" "${@:3}" >"$daemon_dir/$1" 2>&1 &
}
told() { grep -Eq -- "$2" "$daemon_dir/$1"; }
lines() { grep -c -- "$2" "$daemon_dir/$1"; }
looks() { # BATCH: how often the database was asked for news of it
    grep -A4 'execute user_watch_\(look\|see\)' "$pg_dir/server.log" | grep -c "DETAIL:.*$(batch "$1")"
}

# --- a batch from its first job to its end ------------------------------------------------------
call_as "$token" POST /api/jobs -d "{\"kind\": \"step\", \"payloads\": [1, 2], \"batch_id\": \"$(batch 1)\"}"
answers 201 'a batch of two jobs'
listen a 1 "$token"
ok 'it is a stream of events' wait_for 10 told a '^answer 200 text/event-stream'
ok 'the first one is the whole batch' wait_for 10 told a '^status .*"jobs": \[\{.*"total": 2'
ok 'so are its jobs, with their progress' wait_for 10 told a '"progress": 10.0.*"progress_note": "begun"'
listen b 1 "$token"
ok 'another listener' wait_for 10 told b '^status .*"running": 2'
touch "$daemon_dir/half"
ok 'the next step is told' wait_for 10 told a '^job .*"progress": 50.0.*"progress_note": "half"'
ok 'to both' wait_for 10 told b '^job .*"progress": 50.0.*"progress_note": "half"'
ok 'and how far the batch is' wait_for 10 told a '^status .*"percent": 50.0'
not_ok 'without jobs' told a '^status .*"jobs": .*"percent": 50.0'
touch "$daemon_dir/go"
ok 'an end is told' wait_for 10 told a '^job .*"status": "succeeded"'
ok 'at last that all is done' wait_for 10 told a '^done .*"status": "succeeded"'
ok 'and the stream ends' wait_for 10 told a '^end done'
is "$(lines a '^job .*"id": .*"status": "succeeded"')" 2 'each end is told once'
is "$(diff <(grep '^job' "$daemon_dir/b" | sort -u | grep -v begun) <(grep '^job' "$daemon_dir/a" | sort -u | grep -v begun))" '' \
    'both have heard the same of jobs'
listen again 1 "$token"
ok 'who comes later hears the end at once' wait_for 10 told again '^done'
listen again2 1 "$token" '' 'done'
ok 'who has heard of it and comes back is told not to' wait_for 10 told again2 '^answer 204'

# --- who and what ---------------------------------------------------------------------------------
new_batch $user 2 3 idle
events() { call GET "/api/batches/$1/events?access_token=$2"; }
before=$(asked_database)
call GET "/api/batches/$(batch 2)/events"
answers 401 'without a token'
events "$(batch 2)" "$(mint $user '{"role": "service_role"}')"
answers 403 'not the service'
events x "$token"
answers 400 'no UUID'
events "$(batch 2)" "$token&job_limit=1001"
answers 400 'too many jobs'
is "$(asked_database)" "$before" 'none of these was heard of by the database'
events "$(batch 2)" "$token2"
is "$status $(field .message)" '404 Job not found' 'a batch of another user'
events "$(batch 99)" "$token"
is "$status $(field .message)" '404 Job not found' 'and one that does not exist'
listen counts 2 "$token" '&job_limit=0'
listen one 2 "$token" '&job_limit=1'
ok 'jobs need not be in it' wait_for 10 told counts '^status .*"jobs": \[\]'
ok 'or a few of them' wait_for 10 told one '^status .*"jobs_truncated": true'
ids=$(sql "select string_agg(id::text, ',' order by id) from public.jobs where batch_id = '$(batch 2)'")
sql "select pgcrew.cancel_jobs(array[${ids#*,}])" >/dev/null
ok 'then only counts come' wait_for 10 told counts '^status .*"cancelled": 2'
ok 'and jobs that are followed' wait_for 10 told one '^status .*"cancelled": 2'
is "$(lines counts ^job) $(lines one ^job)" '0 0' 'no others'
sql "delete from public.jobs where batch_id = '$(batch 2)'"
ok 'a batch that is deleted is gone' wait_for 10 told counts '^gone .*"code": "PT404"'
ok 'and its stream ends' wait_for 10 told counts '^end'

new_batch $user 8 1 idle
new_batch $user2 8 2 idle
sql "create policy second_factor on public.jobs as restrictive for select to authenticated
     using (batch_id <> '$(batch 8)' or user_id <> '$user' or auth.jwt() ->> 'aal' = 'aal2')"
listen strong 8 "$(mint $user '{"aal": "aal2"}')"
ok 'who may see a batch listens' wait_for 10 told strong '^status .*"total": 1'
listen theirs 8 "$token2"
ok 'so does another user, to jobs of his own' wait_for 10 told theirs '^status .*"total": 2'
events "$(batch 8)" "$token"
answers 404 'the same user with less of a token does not share it'

# --- one watch for all ------------------------------------------------------------------------------
new_batch $user 3 2 idle
new_batch $user 4 2 idle
mkfifo "$daemon_dir/tell"
PYTHONPATH="$here" python3 -B "$here/gateway_crowd.py" "$gateway_port" $user "$(batch 3)" <"$daemon_dir/tell" >"$daemon_dir/crowd" 2>&1 &
exec 7>"$daemon_dir/tell"
ok '200 listeners of one batch' wait_for 30 told crowd 'all listen'
listen alone 4 "$token"
wait_for 10 told alone '^status' || echo '# nobody listens to batch 4'
crowd_before=$(looks 3) alone_before=$(looks 4)
more_looks() { [ $(($(looks 4) - alone_before)) -ge 8 ]; }
ok 'the database is asked for one listener' wait_for 20 more_looks
crowd_looks=$(($(looks 3) - crowd_before)) alone_looks=$(($(looks 4) - alone_before))
ok "and not oftener for 200 of one batch ($crowd_looks, $alone_looks)" test $crowd_looks -le $((2 * alone_looks + 2))
for n in {1..9}; do listen "more$n" 4 "$token"; done
for n in {1..9}; do wait_for 10 told "more$n" '^answer' || echo "# $n of ten does not listen to batch 4"; done
call GET "/api/batches/$(batch 4)/events?access_token=$token" -m 3
answers 429 'a user cannot have more than so many'
like "$(header Retry-After)" '^[1-9]' 'and is told when to try again'
new_batch $user2 5 1 idle
for n in {1..25}; do listen "other$n" 5 "$token2"; done
all_refused() { grep -q 'answer 503' "$daemon_dir"/other*; }
ok 'nor all users together' wait_for 10 all_refused
sql "select pgcrew.cancel_batch_jobs('$(batch 3)')" >/dev/null
echo >&7
ok 'all of them hear of each job, and of the end' wait_for 30 told crowd 'all have heard'
exec 7>&-

# --- the end of a token, and of the database -----------------------------------------------------------
listen short 4 "$(mint $user "{\"exp\": $(($(date +%s) - 27))}")"
ok 'a stream ends with its token' wait_for 20 told short '^expired'
ok 'by itself' wait_for 5 told short '^end'
listen stays 4 "$token"
ok 'one more listens' wait_for 10 told stays '^status'
pg_restart
ok 'the gateway is back' wait_for 20 gateway_is_ready
sql "select pgcrew.cancel_batch_jobs('$(batch 4)')" >/dev/null
ok 'listeners have stayed through a restart of the database' wait_for 20 told stays '^done'
is "$(lines stays '^job')" 2 'and hear of all that has changed'
pg_stop
call_as "$token" GET "/api/batch_status?batch_id=$(batch 1)"
answers 503 'without a database'
like "$(header Retry-After)" '^[1-9]' 'which is for a while'
events "$(batch 1)" "$token"
answers 503 'streams are not begun then'
call_as "$token" POST /api/jobs -d '{"kind": "mail"}'
answers 503 'nor are jobs taken'
is "$(curl -s -o /dev/null -w '%{http_code}' "$gateway/healthz") $(curl -s -o /dev/null -w '%{http_code}' "$gateway/readyz")" '200 503' \
    'healthz and readyz say so'
pg_up
ok 'until it is back' wait_for 20 gateway_is_ready

# --- the end of the gateway --------------------------------------------------------------------------------
new_batch $user 6 1 idle
listen last 6 "$token"
ok 'somebody listens' wait_for 10 told last '^status'
ok 'the daemon stops nevertheless' stop_daemon
ok 'and the stream is ended well' told last '^end'
done_testing
