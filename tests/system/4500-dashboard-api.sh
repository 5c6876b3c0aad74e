#!/usr/bin/env bash
# The dashboard's interface: who is let in, what it answers, what its actions do.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
# shellcheck source=tests/lib/postgres.sh
. "$here/../lib/postgres.sh"
# shellcheck source=tests/lib/daemon.sh
. "$here/../lib/daemon.sh"

command -v curl >/dev/null || bail 'curl is missing'
PG_CONF='log_statement = all
log_min_error_statement = panic'
pg_start && migrate || bail 'no database'
daemon_setup
jar=$daemon_dir/jar
token=0123456789abcdef0123456789abcdef
(umask 077; echo "$token" >"$daemon_dir/token")
port=$(free_port)
base=http://127.0.0.1:$port
api=$base/dashboard/api
dashboard=(dashboard.listen="[127.0.0.1:$port]" dashboard.token_file="$daemon_dir/token")
handlers '  ok: {exec: ["true"]}
  slow: {exec: [sleep, "3"]}
  long: {exec: [sleep, "100"]}
  bad: {exec: [sh, -c, "echo number 12 of \"$0\" >&2; exit 3", "a b"], retry_first: 1h}'

# ask PATH [curl option]...: sets $status, $body and $head.
ask() {
    local path=$1
    shift
    status=$(curl -s -o "$daemon_dir/body" -D "$daemon_dir/head" -w '%{http_code}' --max-time 30 "$@" "$path")
    body=$(cat "$daemon_dir/body")
    head=$(tr -d '\r' <"$daemon_dir/head")
}
get() {
    ask "$api/$1" -b "$jar" -c "$jar" "${@:2}"
}
send() {
    local path=$1 json=$2
    shift 2
    ask "$api/$path" -b "$jar" -c "$jar" -H 'Content-Type: application/json' -H "X-CSRF-Token: $csrf" -d "$json" "$@"
}
login() {
    ask "$api/login" -c "$jar" -H 'Content-Type: application/json' -d "{\"token\": \"$1\"}" "${@:2}"
}
says() {
    jq -r "$1" <<<"$body"
}
serves() {
    [ "$(curl -s -o "$daemon_dir/ready" -w '%{http_code}' "$base/readyz")" = 200 ]
}

# --- off, then on -----------------------------------------------------------------------

start_daemon "dashboard.listen=[127.0.0.1:$port]"
wait_for 10 serves || bail 'nothing is served'
ask "$base/"
is "$status" 404 'without a token there is no dashboard'
like "$body" 'dashboard.token_file' 'and it says how there is one'
login "$token"
is "$status" 404 'nor a login'
stop_daemon

start_daemon "${dashboard[@]}"
wait_for 10 serves || bail 'nothing is served'
ask "$base/"
is "$status" 200 'with one there is a page'
like "$head" "^Content-Security-Policy: default-src 'none'; script-src 'self';" 'it may load only what is ours'
like "$head" '^Content-Type: text/html' 'it is HTML'
is "$(cmp "$daemon_dir/body" "$repo/src/dashboard/www/index.html" && echo same)" same 'it is the file, to the byte'
tag=$(sed -n 's/^ETag: //p' <<<"$head")
ask "$base/" -H "If-None-Match: $tag"
is "$status" 304 'a browser that has it is not sent it again'
for file in "$repo"/src/dashboard/www/*; do
    ask "$base/dashboard/${file##*/}"
    is "$status $(cmp "$daemon_dir/body" "$file" && echo same)" '200 same' "${file##*/} is served as it is"
done
ask "$base/dashboard/nothing.js"
is "$status" 404 'another file is not'
ask "$base/dashboard/..%2f..%2fetc%2fpasswd" --path-as-is
is "$status" 404 'nor one of the disk'

# --- the door ---------------------------------------------------------------------------

for path in session overview live jobs jobs/1 batches queues schedules errors hosts; do
    ask "$api/$path"
    is "$status" 401 "$path is not for everybody"
    like "$head" '^Content-Security-Policy: ' 'and the answer has the headers'
done
for path in logout jobs/1/cancel bulk queues/default/pause; do
    ask "$api/$path" -H 'Content-Type: application/json' -d '{}'
    is "$status" 401 "nor is doing $path"
done
login "${token}x"
is "$status" 401 'a wrong token opens nothing'
login ''
is "$status" 401 'nor does none'
ask "$api/login" -H 'Content-Type: application/json' -d '[]'
is "$status" 400 'nor what is no login'
ask "$api/login" -H 'Content-Type: text/plain' -d "{\"token\": \"$token\"}"
is "$status" 415 'a login is JSON: a form of another page cannot send it'
login "$token" -H 'Origin: https://evil.example'
is "$status" 403 'nor can its script'
login "$token" -H 'Sec-Fetch-Site: cross-site'
is "$status" 403 'which a browser says'

login "$token" -H 'X-Forwarded-Proto: https'
like "$head" '^Set-Cookie: pgcrew_session=.*; Secure$' 'behind https the cookie is for https only'
login "$token" -H 'Sec-Fetch-Site: same-origin' -H "Origin: $base"
is "$status" 200 'the token opens it'
like "$head" '^Set-Cookie: pgcrew_session=[^;]+; Path=/; Max-Age=[0-9]+; HttpOnly; SameSite=Strict$' 'the cookie is not for scripts and not for other sites'
like "$head" '^Cache-Control: no-store$' 'nobody keeps the answer'
csrf=$(says .csrf)
is "$(says .name)" testhost 'it says where one is'
get session
is "$status $(says .csrf)" "200 $csrf" 'the session is known by its cookie'
not_ok 'the token is nowhere in what the browser keeps' grep -q "$token" "$jar"

id=$(enqueue long)
ok 'a job runs' wait_for 10 job_is "$id" running
send "jobs/$id/cancel" '{}' -H 'X-CSRF-Token: 0'
is "$status" 403 'an action without the CSRF token is refused'
ask "$api/jobs/$id/cancel" -b "$jar" -H 'Content-Type: application/json' -d '{}'
is "$status" 403 'one with none, too'
send "jobs/$id/cancel" '{}' -H 'Origin: https://evil.example'
is "$status" 403 'one from the page of another origin, too'
send "jobs/$id/cancel" '{}' -H 'Content-Type: text/plain'
is "$status" 415 'one that is not JSON, too'
is "$(job "$id" status)" running 'nothing has happened'
ask "$api/overview" -H "Authorization: Bearer $token"
is "$status" 200 'a script says the token itself'
ask "$api/overview" -H "Authorization: Bearer ${token}x"
is "$status" 401 'and not another one'

# --- jobs ---------------------------------------------------------------------------------

get overview
is "$(says '.running[0].id, .queues[0].queue, .queues[0].claimed, .hosts[0].name, .hosts[0].state')" \
    "$(printf '%s\n' "$id" default 1 testhost busy)" 'the overview shows what runs, and where'
is "$(says '.daemon.name')" testhost 'and what the daemon of this host says'
is "$(says '.now | endswith("+00:00")')" true 'times are in UTC'
get "jobs/$id"
is "$(says '.job.status, .claim.name, (.timeline | map(.what) | join(","))')" \
    "$(printf '%s\n' running testhost created,claimed,started)" 'a job is shown with what has happened to it'
like "$(says .why)" 'it is running: worker 1 on testhost' 'and why it is where it is'
send "jobs/$id/delete" '{}'
is "$(says .count)" 0 'a job that runs is not deleted'
send "jobs/$id/cancel" '{}'
is "$status $(says .count)" '200 1' 'it is cancelled'
ok 'and ends so' wait_for 10 job_is "$id" cancelled
ok 'the log says who did it' logged "session [0-9a-f]{8} from 127.0.0.1: cancel job $id: 1 done"
send "jobs/$id/cancel" '{}'
is "$(says '.count, .message')" "$(printf '0\nIt has ended already.')" 'once more is of no use, and says so'

bad=$(enqueue bad '{"text": "<img src=x onerror=alert(1)>", "quote": "'"''"'\\\" %s"}')
ok 'a job fails' wait_for 10 has_attempt "$bad" failed
get "jobs/$bad"
is "$(says '.attempts[0].cause, .attempts[0].exit_code, .attempts[0].stderr_tail')" "$(printf 'failed\n3\nnumber 12 of a b')" \
    'its attempts are shown'
is "$(says '.job.payload_text | fromjson | .text')" '<img src=x onerror=alert(1)>' 'and its payload, as text'
get errors
is "$(says '.errors[0].message, .errors[0].count, .errors[0].kinds[0]')" "$(printf 'exited with status <n>: number <n> of a b\n1\nbad')" \
    'errors that say the same are one'
send "jobs/$bad/cancel" '{}'
is "$(says .count) $(job "$bad" status)" '1 cancelled' 'a job that waits for its retry is cancelled'
send "jobs/$bad/retry" '{}'
is "$(says .count)" 1 'it is queued again'
ok 'and tried again' wait_for 10 test "$(sql "select count(*) from pgcrew.attempts where job_id = $bad")" -gt 0
send "jobs/$bad/cancel" '{}'
send "jobs/$bad/delete" '{}'
is "$(says .count) $(sql "select count(*) from public.jobs where id = $bad")" '1 0' 'and deleted'
send "jobs/$bad/retry" '{}'
is "$(says '.count, .message')" "$(printf '0\nThere is no such job.')" 'what is gone stays so'
for what in retry/x x/retry 0/cancel 99999999999999999999/cancel 1/explode; do
    send "jobs/$what" '{}'
    is "$status" 404 "there is no jobs/$what"
done

# --- search ---------------------------------------------------------------------------------

batch=6a7d9b52-0d5c-4a54-9f0e-6a1c31c5a001
owner=11111111-1111-1111-1111-111111111111
sql "insert into public.jobs (kind, queue, payload, user_id, batch_id, run_at)
     select 'k' || g % 3, 'q' || g % 2, jsonb_build_object('n', g), '$owner', '$batch', now() + interval '1 h'
       from generate_series(1, 30) g"
first=$(sql "select min(id) from public.jobs where batch_id = '$batch'")
found() {
    get "jobs?$1"
    says '.jobs | length'
}
is "$(found 'kind=k1')" 10 'jobs are found by kind'
is "$(found 'kind=k1&queue=q0')" 5 'and queue'
get "jobs?batch=$batch&limit=7"
is "$(says '.jobs | length')" 7 'and batch, as many as wanted'
is "$(says '.more, .next')" "$(printf 'true\n%s' $((first + 23)))" 'and that there are more'
get "jobs?batch=$batch&limit=7&before=$(says .next)"
is "$(says '(.jobs | length), .jobs[0].id')" "$(printf '7\n%s' $((first + 22)))" 'which come next'
is "$(found "user=$owner")" 30 'and user'
is "$(found "user=$batch")" 0 'of another one there are none'
is "$(found "state=queued&batch=$batch")" 30 'and state'
is "$(found "state=failed&batch=$batch")" 0 'none of which is another'
is "$(found "id=$first")" 1 'and id'
is "$(found 'text=%22n%22%3A+17')" 1 'and by what is in the payload'
is "$(found "batch=$batch&since=2020-01-01T00:00:00Z")" 30 'and time'
is "$(found "batch=$batch&since=2999-01-01T00:00:00Z")" 0 'none is of the future'
is "$(found 'until=2020-01-01T00:00:00Z')" 0 'or of the past'

nasty=("'; drop table public.jobs; --" "\\'" '"' '%' '_' '\0' '{}' '$1' "$(printf '\xff\xfe')" "$(printf '\xc3\xa9\xe2\x82\xac')" '1e9' '-1' '9223372036854775808' "$(printf 'x%.0s' {1..600})")
for name in state kind queue batch user since until text id before limit; do
    said=
    for value in "${nasty[@]}"; do
        ask "$api/jobs" -b "$jar" -G --data-urlencode "$name=$value"
        said="$said $status"
    done
    not_ok "no value of $name does harm" grep -qvE '^( (200|400))+$' <<<"$said"
done
for path in 'errors?since=' 'batches?before=' jobs/ batches/; do
    said=
    for value in "${nasty[@]}"; do
        get "$path$(jq -rn --arg v "$value" '$v | @uri')"
        said="$said $status"
    done
    not_ok "nor in $path" grep -qvE '^( (200|400|404|414|431))+$' <<<"$said"
done
is "$(sql 'select count(*) > 30 from public.jobs')" t 'the jobs are all there'

# --- bulk -------------------------------------------------------------------------------------

bulk() {
    send bulk "$1"
}
bulk "{\"action\": \"cancel\", \"filter\": {\"batch\": \"$batch\", \"kind\": \"k1\"}, \"preview\": true}"
is "$(says '.count, .exact')" "$(printf '10\ntrue')" 'it is said how many it would be'
is "$(sql "select count(*) from public.jobs where batch_id = '$batch' and status = 'queued'")" 30 'nothing has happened yet'
bulk "{\"action\": \"cancel\", \"filter\": {\"batch\": \"$batch\"}, \"preview\": false, \"expected\": 10}"
is "$status" 409 'when many more match than were expected, nothing is done'
bulk "{\"action\": \"cancel\", \"filter\": {\"batch\": \"$batch\", \"kind\": \"k1\"}, \"preview\": false, \"expected\": 10}"
is "$status $(says '.done') $(says .left)" '200 10 0' 'then it is done'
is "$(sql "select count(*) from public.jobs where batch_id = '$batch' and status = 'cancelled'")" 10 'to those that match'
for wrong in '[]' '{}' '{"action": "drop", "filter": {}, "preview": true}' '{"action": "retry", "filter": {"knd": "x"}, "preview": true}' \
    '{"action": "retry", "filter": {}, "preview": "no"}' '{"action": "retry", "filter": [], "preview": true}' \
    '{"action": "retry", "filter": {"kind": 5}, "preview": true}' '{"action": "retry", "filter": {}, "preview": false, "expected": -1}' \
    '{"action": "delete", "filter": {"state": "x"}, "preview": true}' 'x'; do
    bulk "$wrong"
    is "$status" 400 "refused: $wrong"
done
sql "insert into public.jobs (kind, status, error, finished_at) select 'many', 'failed', 'x ' || g, now() from generate_series(1, 2500) g"
steps=0
left=1
while [ "$left" -gt 0 ] && [ "$steps" -lt 10 ]; do
    bulk '{"action": "delete", "filter": {"kind": "many"}, "preview": false, "expected": 2500}'
    left=$(says .left)
    steps=$((steps + 1))
done
is "$steps $(sql "select count(*) from public.jobs where kind = 'many'")" '3 0' 'many are done in steps of a thousand'
sql "insert into public.jobs (kind, status, finished_at, unique_key) select 'twin', 'failed', now(), 'key' from generate_series(1, 3)"
bulk '{"action": "retry", "filter": {"kind": "twin"}, "preview": false, "expected": 3}'
is "$(says .done)" 1 'of jobs with one unique key one is queued again'
bulk '{"action": "retry", "filter": {"kind": "twin"}, "preview": false, "expected": 3}'
is "$(says .done) $(says .left)" '0 0' 'the others do not hold up the end'
bulk '{"action": "retry", "filter": {"kind": "twin"}, "preview": true}'
is "$(says .count)" 0 'nor are they counted'

# --- batches, queues --------------------------------------------------------------------------

get batches
is "$(says '.batches[0].batch_id, .batches[0].total, .batches[0].cancelled')" "$(printf '%s\n30\n10' "$batch")" 'batches are listed'
get "batches/$batch"
is "$(says '.total, (.jobs | length)')" "$(printf '30\n30')" 'one is shown with its jobs'
send "batches/$batch/retry" '{}'
is "$(says .count)" 10 'what was cancelled of it is queued again'
send "batches/$batch/cancel" '{}'
is "$(says .count) $(sql "select count(*) from public.jobs where batch_id = '$batch' and status = 'queued'")" '30 0' 'all of it is cancelled'
get batches/00000000-0000-0000-0000-000000000000
is "$status" 404 'another one is not there'

send queues/default/pause '{}'
is "$status $(says .count)" '200 1' 'a queue is paused'
paused=$(enqueue ok)
get queues
is "$(says '.queues[] | select(.queue == "default") | (.paused_at != null), .kinds[0].kind')" "$(printf 'true\nok')" \
    'it is shown so, with what waits in it'
like "$(sql "select paused_by from pgcrew.queues where queue = 'default'")" '^session [0-9a-f]{8} from 127' 'the database knows by whom'
send queues/default/resume '{}'
ok 'and goes on' wait_for 10 job_is "$paused" succeeded
send queues/default/explode '{}'
is "$status" 404 'no more can be done to a queue'

# --- schedules ------------------------------------------------------------------------------------

sql "select pgcrew.put_schedule('nightly', '0 3 * * *', 'ok')" >/dev/null
get schedules
is "$(says '.schedules[0].name, .schedules[0].cron, .schedules[0].payload_text')" "$(printf 'nightly\n0 3 * * *\n{}')" 'schedules are shown'
later=$(sql "select pgcrew.enqueue('ok', '{}', run_at => now() + interval '1 h')")
get schedules
is "$(says '.scheduled | map(.id) | contains(['"$later"'])')" true 'and the jobs that wait for their time'
send schedules/nightly/pause '{}'
is "$(says .count) $(sql "select paused_at is not null from pgcrew.schedules where name = 'nightly'")" '1 t' 'one is paused'
send schedules/nightly/pause '{}'
is "$(says .count)" 0 'once'
send schedules/nightly/resume '{}'
is "$(says .count) $(sql "select next_at > now() from pgcrew.schedules where name = 'nightly'")" '1 t' 'and goes on'
send schedules/nightly/run '{}'
is "$(says .count)" 1 'it is run at once'
ok 'its job is' wait_for 10 job_is "$(sql "select last_job_id from pgcrew.schedules where name = 'nightly'")" succeeded
send schedules/daily/run '{}'
is "$status" 404 'another one is not there'
send schedules/nightly/explode '{}'
is "$status" 404 'no more can be done to one'

# --- hosts --------------------------------------------------------------------------------------

get hosts
is "$(says '.hosts[0].name, (.hosts[0].workers | length), .daemon.name')" "$(printf 'testhost\n1\ntesthost')" 'hosts and their workers are shown'

# --- live ---------------------------------------------------------------------------------------

looks() {
    grep -c 'execute desk_watch' "$pg_dir/server.log"
}
events() {
    grep -c '^event: overview' "$daemon_dir/live.$1"
}
has_events() {
    [ "$(events "$1")" -ge "$2" ]
}
before=$(looks)
listeners=()
for i in 1 2 3 4 5 6; do
    curl -sN -b "$jar" "$api/live" >"$daemon_dir/live.$i" &
    listeners+=($!)
done
ok 'an event comes each second' wait_for 20 has_events 6 4
ok 'to each of those who look' wait_for 10 has_events 1 4
most=$(for i in 1 2 3 4 5 6; do events $i; done | sort -n | tail -n 1)
ok 'the database is asked once for all' test $(($(looks) - before)) -le $((most + 1))
is "$(sed -n 's/^data: //p' "$daemon_dir/live.1" | head -n 1 | jq -r '.hosts[0].name')" testhost 'it is the overview'
count_of() {
    sed -n 's/^data: //p' "$daemon_dir/live.1" | tail -n 1 | jq -e "$1" >/dev/null
}
for _ in $(seq 20); do enqueue ok >/dev/null; done
ok 'jobs that come and end are in its rates' wait_for 30 count_of '.rates.finished_per_s > 0 and .rates.enqueued_per_s > 0'
ok 'and in its history' count_of '.history | length > 3 and .[-1].finished > 0'
kill "${listeners[@]}"
wait "${listeners[@]}" 2>/dev/null
none_streams() {
    get overview
    [ "$(says .daemon.dashboard.streams)" = 0 ]
}
ok 'they leave' wait_for 10 none_streams
before=$(looks)
slow=$(enqueue slow)
wait_for 20 job_is "$slow" succeeded
is "$(looks)" "$before" 'nobody looks: the database is not asked'

# --- a large table ----------------------------------------------------------------------------------

sql "insert into public.jobs (kind, status, finished_at) select 'old', 'succeeded', now() from generate_series(1, 1000000)"
sql 'analyze public.jobs'
is "$(found 'limit=50')" 50 'of a million jobs the newest are shown'
get 'jobs?kind=k2'
pages=1
while [ "$(says .next)" != null ] && [ "$pages" -lt 20 ]; do
    last=$(says '.jobs | length')
    get "jobs?kind=k2&before=$(says .next)"
    pages=$((pages + 1))
done
is "$status $((last + $(says '.jobs | length')))" '200 10' 'a search that finds nothing at first goes on where it stopped'
ok 'in some steps' test "$pages" -gt 3
bulk '{"action": "delete", "filter": {"kind": "old"}, "preview": true}'
is "$(says '.count, .exact')" "$(printf '10000\nfalse')" 'of very many it is said that they are more'
bulk '{"action": "delete", "filter": {"kind": "nosuchkind"}, "preview": true}'
like "$status" '^(200|503)$' 'a search of all is answered, or it is said to narrow it'
get overview
is "$status" 200 'the overview does not care'

# --- the database is slow, or away ----------------------------------------------------------------

psql -Xq -c 'begin' -c 'lock table public.jobs in access exclusive mode' -c 'select pg_sleep(60)' >/dev/null 2>&1 &
locker=$!
locks() {
    [ "$(sql "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and relation = 'public.jobs'::regclass and granted")" = 1 ]
}
wait_for 10 locks
get jobs
is "$status" 503 'a search that takes too long is given up'
like "$(says .hint)" 'Narrow your search' 'and it is said what to do'
sql "select pg_terminate_backend(pid) from pg_locks where mode = 'AccessExclusiveLock' and relation = 'public.jobs'::regclass" >/dev/null
wait "$locker" 2>/dev/null
get jobs
is "$status" 200 'the next one is answered'
pg_stop immediate
get_is() {
    get "$1"
    [ "$status" = "$2" ]
}
ok 'without a database it says so' wait_for 20 get_is jobs 503
ask "$base/"
is "$status" 200 'the page is there still'
pg_up
ok 'and with one it goes on, in the same session' wait_for 60 get_is jobs 200

wait_for 20 get_is overview 200
is "$(says '.daemon.restarts | .crash + .signal + .stalled')" 0 'no process has crashed by all this'

# --- sessions ---------------------------------------------------------------------------------------

stop_daemon
is "$daemon_status" 0 'the daemon ends'
start_daemon "${dashboard[@]}"
wait_for 10 serves
get session
is "$status $(says .csrf)" "200 $csrf" 'a session outlives a restart'
cp "$jar" "$daemon_dir/copy"
send logout '{}'
is "$status" 204 'one logs out'
get session
is "$status" 401 'then one is out'
ask "$api/session" -b "$daemon_dir/copy"
is "$status" 401 'with a copy of the cookie, too'
login "$token"
csrf=$(says .csrf)
curl -sN -b "$jar" "$api/live" >"$daemon_dir/live.1" &
listener=$!
ok 'somebody looks' wait_for 10 has_events 1 1
echo "another-$token" >"$daemon_dir/token"
get session
is "$status" 401 'another token ends all sessions of the first'
ok 'and what they look at' wait_for 10 eval "! kill -0 $listener 2>/dev/null"
login "another-$token"
is "$status" 200 'and opens it at once'
chmod 644 "$daemon_dir/token"
get session
is "$status" 401 'a token that everybody can read opens nothing'
login "another-$token"
is "$status" 503 'and it is said that it is not usable'
ok 'the log says why' logged 'everybody on this host may read or change it'
not_ok 'and not what it is' logged "$token"
chmod 600 "$daemon_dir/token"
login "another-$token"
csrf=$(says .csrf)
get overview
is "$(says '.daemon.restarts | .crash + .signal + .stalled')" 0 'nor by that'
wrong=0
while [ "$wrong" -lt 50 ]; do
    login nonsense
    [ "$status" = 401 ] || break
    wrong=$((wrong + 1))
done
is "$status" 429 'many wrong tokens are slowed down'
like "$head" '^Retry-After: [0-9]+$' 'and it is said for how long'
login nonsense
get session
is "$status" 401 'a failed login is no session'
done_testing
