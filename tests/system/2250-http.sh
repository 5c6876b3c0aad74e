#!/usr/bin/env bash
# Jobs as requests to a URL, with the daemon, PostgreSQL and a real server.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

web=$daemon_dir/web
mkdir "$web" "$web/log" "$web/credentials"
server=$build/tests/unit/http_server
[ -x "$server" ] || bail 'tests/unit/http_server is not built'

# serve NAME [option...]: a server; its port is in port_NAME
web_pids=()
serve() {
    local name=$1
    shift
    "$server" --port-file "$web/$name.port" "$@" 2>>"$web/errors" &
    web_pids+=($!)
    wait_for 10 test -s "$web/$name.port" || bail 'no web server'
    printf -v "port_$name" %s "$(cat "$web/$name.port")"
}
at_exit 'kill "${web_pids[@]}" 2>/dev/null'
"$server" --certs "$web" || bail 'no certificates'
serve plain
serve logged --log "$web/log"
serve good --tls "$web/good.pem"
serve expired --tls "$web/expired.pem"
serve wrong --tls "$web/wrong.pem"
serve other --tls "$web/other.pem"

printf 'planted-credential\n' >"$web/credentials/token"
printf 'planted-sign-key\n' >"$web/key"
export CREDENTIALS_DIRECTORY=$web/credentials PLANTED=planted-variable
unset NO_SUCH_VARIABLE

# shellcheck disable=SC2154  # port_x is set by serve
plain=http://127.0.0.1:$port_plain tls="allow_local: yes, retry_first: 1h, ca_file: $web/ca.pem"
# shellcheck disable=SC2154
handlers "  ok: {http: $plain/ok, allow_local: yes}
  echo: {http: $plain/echo, allow_local: yes}
  text: {http: $plain/text/hello, allow_local: yes}
  empty: {http: $plain/empty, allow_local: yes}
  gate: {http: $plain/gate/200, allow_local: yes}
  stats: {http: $plain/stats, allow_local: yes}
  refused: {http: $plain/status/422, allow_local: yes}
  busy: {http: $plain/flaky/429/2, allow_local: yes, retry_first: 1h}
  bad: {http: $plain/flaky/500/1, allow_local: yes, retry_first: 100ms}
  loop: {http: $plain/redirect-loop, allow_local: yes, redirects: 5}
  endless: {http: $plain/endless, allow_local: yes, response_max: 100KiB, retry_first: 1h}
  drip: {http: $plain/drip, allow_local: yes, timeout: 500ms, retry_first: 1h}
  slow: {http: $plain/slow, allow_local: yes}
  local: {http: http://localhost:$port_plain/ok, retry_first: 100ms}
  secret: {http: http://127.0.0.1:$port_logged/ok, allow_local: yes, sign: 'file:$web/key',
           headers: ['Authorization: Bearer \${credential:token}', 'X-Key: \${env:PLANTED}']}
  echoed: {http: $plain/tell/500/Authorization, allow_local: yes, retry_first: 1h,
           headers: ['Authorization: Bearer \${credential:token}']}
  missing: {http: $plain/ok, allow_local: yes, headers: ['X-Key: \${env:NO_SUCH_VARIABLE}']}
  good: {http: https://localhost:$port_good/ok, $tls}
  expired: {http: https://localhost:$port_expired/ok, $tls}
  wrong: {http: https://localhost:$port_wrong/ok, $tls}
  other: {http: https://localhost:$port_other/ok, $tls}"
start_daemon worker.count=1 worker.slots=200 queue.poll_interval=200ms worker.drain_timeout=500ms log.level=debug

attempt_is() { # ID CAUSE
    [ "$(sql "select cause from pgcrew.attempts where job_id = $1 order by id limit 1")" = "$2" ]
}
error_of() {
    sql "select error from pgcrew.attempts where job_id = $1 order by id limit 1"
}

# --- results ---------------------------------------------------------------------

id=$(enqueue ok)
ok     'a request is answered'                     wait_for 10 job_is "$id" succeeded
is     "$(job "$id" result)" '{"ok": [1, 2.50]}'   'its result is JSON'
id=$(enqueue text)
ok     'an answer may be text'                     wait_for 10 job_is "$id" succeeded
is     "$(job "$id" result)" '"hello"'             'which becomes a string'
id=$(enqueue empty)
ok     'or nothing'                                wait_for 10 job_is "$id" succeeded
is     "$(job "$id" 'result is null')" t           'which is no result'
id=$(enqueue echo '{"greeting": "bonjour ü"}')
ok     'the payload is sent'                       wait_for 10 job_is "$id" succeeded
job "$id" "result #>> '{}'" | tr -d '\r' >"$daemon_dir/echo"
is     "$(tail -n 1 "$daemon_dir/echo")" '{"greeting": "bonjour ü"}' 'as it is'
origin=$(sql "select to_hex((extract(epoch from applied_at) * 1000000)::bigint) from pgcrew.migrations where version = 4")
ok     'with the key of this job of this database' grep -qx "Idempotency-Key: pgcrew-$origin-$id" "$daemon_dir/echo"
ok     'and its number'                            grep -qx "Pgcrew-Job-Id: $id" "$daemon_dir/echo"
id=$(enqueue refused)
ok     '422 is for good'                           wait_for 10 job_is "$id" failed
is     "$(job "$id" attempts)" 1                   'after one attempt'
is     "$(job "$id" error)" 'answered 422 Unprocessable Content: the \x1bfirst line' 'which says why'

# --- 200 at once -------------------------------------------------------------------

sql "select count(pgcrew.enqueue('gate', '{}')) from generate_series(1, 200)" >/dev/null
ok     '200 requests that wait for each other end' wait_for 30 all_ended
is     "$(sql "select count(*) from public.jobs where kind = 'gate' and status = 'succeeded'")" 200 'all of them well'
id=$(enqueue stats)
ok     'the server counts'                         wait_for 10 job_is "$id" succeeded
is     "$(job "$id" "result ->> 'most'")" 200      'that 200 were under way at once'
is     "$(worker_pids | wc -l)" 1                  'on one worker'
is     "$(sql "select count(*) from pg_stat_activity where application_name like 'pgcrew%worker%' or
              (usename = 'pgcrew_worker' and query like '%pgcrew.claim%')")" 1 'with one connection to the database'

# --- later -------------------------------------------------------------------------

id=$(enqueue busy)
ok     '429 is tried again'                        wait_for 10 attempt_is "$id" tempfail
is     "$(job "$id" attempts)" 0                   'and not charged'
ok     'when Retry-After says'                     wait_for 10 job_is "$id" succeeded
ok     'not before'                                test "$(sql "select finished_at - created_at >= interval '2 s'
                                                             from public.jobs where id = $id")" = t
id=$(enqueue bad)
ok     '500 is tried again'                        wait_for 10 job_is "$id" succeeded
is     "$(job "$id" attempts)" 2                   'and charged'

# --- secrets -----------------------------------------------------------------------

id=$(enqueue secret '{"a": [1, 2]}')
ok     'a request with secrets is answered'        wait_for 10 job_is "$id" succeeded
ok     'a credential was sent'                     grep -q $'^Authorization: Bearer planted-credential\r$' "$web/log/1.head"
ok     'a variable, too'                           grep -q $'^X-Key: planted-variable\r$' "$web/log/1.head"
signature=$(sed -n 's/^Pgcrew-Signature: \(.*\)\r$/\1/p' "$web/log/1.head")
at=${signature#t=} at=${at%%,*}
sign() { # TIME
    echo "t=$1,v1=$({ printf '%s.' "$1"; cat "$web/log/1.body"; } | openssl dgst -sha256 -hmac planted-sign-key |
        sed 's/.*= //')"
}
is     "$signature" "$(sign "$at")"                'the signature is that of openssl(1)'
# The code in the manual: example LANGUAGE-OF-ITS-FIRST-LINE FILE
example() {
    sed -n "/^import $1/,/^\\.Ed/p" "$repo/src/http/pgcrew-http.7" | sed '/^\.Ed/d; s/\\e/\\/g' >"$2"
}
example hashlib "$web/verify.py"
cat >>"$web/verify.py" <<'END'
import sys
key, header, body = sys.argv[1].encode(), sys.argv[2], open(sys.argv[3], "rb").read()
sys.exit(0 if is_genuine(key, header, body) else 1)
END
example '{ createHmac' "$web/verify.mjs"
cat >>"$web/verify.mjs" <<'END'
import { readFileSync } from 'node:fs';
const [key, header, file] = process.argv.slice(2);
process.exit(isGenuine(key, header, readFileSync(file)) ? 0 : 1);
END
printf '{"a": [1, 3]}' >"$web/forged"
for program in python3:verify.py node:verify.mjs; do
    run=${program%%:*} file=$web/${program#*:}
    if command -v "$run" >/dev/null; then
        ok "the manual's $run takes it"            "$run" "$file" planted-sign-key "$signature" "$web/log/1.body"
        not_ok "not with another key"              "$run" "$file" planted "$signature" "$web/log/1.body"
        not_ok "not with another body"             "$run" "$file" planted-sign-key "$signature" "$web/forged"
        not_ok "not when it is old"                "$run" "$file" planted-sign-key "$(sign $((at - 301)))" "$web/log/1.body"
        not_ok "not when it is none"               "$run" "$file" planted-sign-key nonsense "$web/log/1.body"
    else
        skip "$run is not installed" "the manual's $run takes it"
    fi
done
ok     'its time is now'                           test $(($(date +%s) - at)) -lt 60
printf 'planted-rotated\n' >"$web/credentials/new"
mv "$web/credentials/new" "$web/credentials/token"
id=$(enqueue secret)
ok     'a secret is replaced'                      wait_for 10 job_is "$id" succeeded
ok     'and counts at once'                        grep -q $'^Authorization: Bearer planted-rotated\r$' "$web/log/2.head"
id=$(enqueue echoed)
ok     'a server repeats a secret'                 wait_for 10 attempt_is "$id" failed
is     "$(error_of "$id")" 'answered 500 Internal Server Error: Bearer ***************' 'it is masked'
id=$(enqueue missing)
ok     'a secret that is missing'                  wait_for 10 attempt_is "$id" no_start
is     "$(error_of "$id")" "header 'X-Key': no secret 'env:NO_SUCH_VARIABLE': it is not set" 'is named'
is     "$(job "$id" attempts)" 0                   'and not charged'
sql "select * from pgcrew.cancel_jobs(array[$id])" >/dev/null
tree() { for pid in "$daemon_pid" $(processes_below "$daemon_pid"); do tr '\0' ' ' <"/proc/$pid/cmdline"; done; }
not_ok 'no secret in the log'                      grep planted "$daemon_out"
not_ok 'none in the list of processes'             grep planted <(tree)
not_ok 'none in the database'                      grep planted <(pg_dump -a)

# --- what others may try -----------------------------------------------------------

id=$(enqueue loop)
ok     'a redirect loop ends'                      wait_for 10 job_is "$id" failed
is     "$(job "$id" error)" "answered 308 Permanent Redirect, one redirect more than 'redirects' allows" 'and says so'
id=$(enqueue endless)
ok     'an endless body ends'                      wait_for 10 attempt_is "$id" limit
is     "$(error_of "$id")" 'its answer is longer than response_max allows (100KiB)' 'and says so'
id=$(enqueue drip)
ok     'a slow drip ends'                          wait_for 10 attempt_is "$id" timeout
is     "$(error_of "$id")" 'ran longer than its timeout of 500 ms' 'and says so'
id=$(enqueue local)
ok     'a request to this host is refused'         wait_for 10 attempt_is "$id" no_start
is     "$(error_of "$id")" "its URL leads to a loopback address, which only 'allow_local: yes' allows" 'and says so'
is     "$(job "$id" attempts)" 0                   'and not charged'
sql "select * from pgcrew.cancel_jobs(array[$id])" >/dev/null
id=$(enqueue good)
ok     'a good certificate is fine'                wait_for 10 job_is "$id" succeeded
for kind in expired wrong other; do
    id=$(enqueue $kind)
    ok "a certificate that is $kind is not"        wait_for 10 attempt_is "$id" failed
    like "$(error_of "$id")" '^no answer: SSL'     'and the error says so'
done

# --- early ends ----------------------------------------------------------------------

id=$(enqueue slow)
ok     'a request waits'                           wait_for 10 job_is "$id" running
sql "select * from pgcrew.cancel_jobs(array[$id])" >/dev/null
ok     'and is cancelled'                          wait_for 10 job_is "$id" cancelled
id=$(enqueue slow)
ok     'another waits'                             wait_for 10 job_is "$id" running
pid=$(worker_pid_of "$id")
has_another_worker() { [[ $(worker_pid_of "$id") != @("$pid"|) ]]; }
kill -KILL "$pid"
ok     'loses its worker and is sent again'        wait_for 20 has_another_worker
stop_daemon
ok     'what waits at a stop goes back'            job_is "$id" queued
is     "$(job "$id" attempts)" 0                   'uncharged'
is     "$daemon_status" 0                          'the daemon ends well'
done_testing
