#!/usr/bin/env bash
# The metrics: a daemon does jobs of all sorts, and what /metrics says of them is right.
# timeout: 180
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/prometheus.sh
. "$here/prometheus.sh"
pg_start && migrate || bail 'no database'
daemon_setup

handlers "  good: {exec: [/bin/true]}
  bad: {exec: [/bin/false], retry_first: 10ms, retry_max: 10ms}
  nap: {exec: [/bin/sleep, '60']}
  spin: {exec: [/bin/sh, -c, 'i=0; while [ \$i -lt 100000 ]; do i=\$((i+1)); done']}
  '*': {exec: [/bin/true]}"
dashboard=127.0.0.1:$(free_port)
options=("dashboard.listen=$dashboard" queue.names='[default, other]' worker.count=2 worker.kill_grace=100ms
    queue.poll_interval=200ms)
start_daemon "${options[@]}"
ok 'the dashboard serves metrics'               wait_for 20 answers_metrics "$dashboard"

pgcrew() { "$build/pgcrew" --socket "$daemon_socket" --config "$daemon_config" "$@"; }

# --- what is counted --------------------------------------------------------------------------

put() { # KIND QUEUE N [MAX_ATTEMPTS]
    sql "select pgcrew.enqueue('$1', queue => '$2', max_attempts => ${4:-5}) from generate_series(1, $3)" >/dev/null
}
put good default 7
put good other 3
put bad default 2 3
put spin default 1
put 'odd "kind"\' default 1
sql "select pgcrew.enqueue('good', run_at => now() + interval '1 day')" >/dev/null
nap=$(enqueue nap)
ok 'a job is running'                           wait_for 20 is_claimed "$nap"
sql "select pgcrew.cancel_jobs(array[$nap])" >/dev/null
no_more() { [ "$(sql "select count(*) from jobs where status in ('queued', 'running')")" = 1 ]; }
ok 'all jobs have ended'                        wait_for 30 no_more
has() { wait_for 10 says "$dashboard" "$1"; }
jobs() { echo "pgcrew_jobs_total{queue=\"$1\",kind=\"$2\",outcome=\"$3\"} $4"; }
ok 'jobs that succeeded are counted'            has "$(jobs default good succeeded 7)"
ok 'by queue'                                   has "$(jobs other good succeeded 3)"
ok 'those that failed for good'                 has "$(jobs default bad failed 2)"
ok 'the attempts that are repeated'             has "$(jobs default bad retried 4)"
ok 'and those that were cancelled'              has "$(jobs default nap cancelled 1)"
ok 'a kind that nobody configured, escaped'     has "$(jobs default 'odd \"kind\"\\' succeeded 1)"
ok 'their times'                                has 'pgcrew_job_run_seconds_count{queue="default",kind="good"} 7'
ok 'an attempt that is repeated has a time, too' has 'pgcrew_job_run_seconds_count{queue="default",kind="bad"} 6'
ok 'and waited before'                          has 'pgcrew_job_wait_seconds_count{queue="default",kind="bad"} 6'
ok 'all within the last bucket'                 has 'pgcrew_job_wait_seconds_bucket{queue="other",kind="good",le="+Inf"} 3'
ok 'none an hour'                               has 'pgcrew_job_wait_seconds_bucket{queue="other",kind="good",le="3600"} 3'
ok 'what claims found'                          has 'pgcrew_claim_jobs_sum 19'
ok 'what is scheduled'                          has 'pgcrew_queue_scheduled{queue="default"} 1'
ok 'nothing waits'                              has 'pgcrew_queue_oldest_seconds{queue="default"} 0'
ok 'processes'                                  has 'pgcrew_processes{role="worker"} 2'
ok 'no workers but these'                       has 'pgcrew_lease_holders{state="live"} 2'
ok 'they are up'                                has 'pgcrew_database_up 1'
positive() { [ "$(metric "$dashboard" "$1" | awk '$1 > 0 {print "yes"}')" = yes ]; }
for name in 'pgcrew_process_resident_bytes{role="worker"}' 'pgcrew_process_proportional_bytes{role="dashboard"}' \
    'pgcrew_process_cpu_seconds_total{role="worker"}' 'pgcrew_db_round_trips_total{role="worker"}' \
    'pgcrew_job_cpu_seconds_total{queue="default",kind="spin"}' 'pgcrew_wraparound_age_transactions' \
    'pgcrew_http_requests_total{role="dashboard",route="/metrics",status="200"}' \
    'pgcrew_http_connections_total{role="dashboard"}'; do
    ok "there is some of $name"                 wait_for 10 positive "$name"
done

# --- how long it waited, by the clock of the database ------------------------------------------

sql "insert into jobs (kind, run_at, created_at)
     values ('late', now() - interval '61 min', now() - interval '61 min'), ('new', now() - interval '61 min', now())"
waits() { echo "pgcrew_job_wait_seconds_bucket{queue=\"default\",kind=\"$1\",le=\"$2\"} $3"; }
ok 'a job that waited for more than an hour'    has "$(waits late +Inf 1)"
ok 'is in no bucket below'                      has "$(waits late 3600 0)"
ok 'one that was made after its time'           has "$(waits new +Inf 1)"
ok 'has waited since it was made'               has "$(waits new 3600 1)"

# --- the dead are counted, and no counter goes back -----------------------------------------------

fetch "$dashboard/metrics" | grep -E '^pgcrew_.*(_total|_count|_bucket)[{ ]' >"$daemon_dir/before"
# What it has counted since somebody looked is not lost.
done_by_now() { pgcrew workers --json | jq '[.processes[] | select(.role == "worker") | .succeeded] | add'; }
before=$(done_by_now)
put good default 5
are_done() { [ "$(done_by_now)" = $((before + 5)) ]; }
ok 'jobs that nobody has asked for yet'         wait_for 20 are_done
mapfile -t pids < <(worker_pids)
kill -KILL "${pids[@]}"
ok 'workers that were killed are counted'       has 'pgcrew_restarts_total{role="worker",reason="signal"} 2'
ok 'what they have done is, still'              has "$(jobs default good succeeded 12)"
kill -HUP "$daemon_pid"
ok 'so is a reload'                             has 'pgcrew_reloads_total 1'
echo 'nonsense: yes' >>"$daemon_config"
kill -HUP "$daemon_pid"
ok 'and one that was refused'                   has 'pgcrew_reloads_refused_total 1'
sed -i '/nonsense/d' "$daemon_config"
fetch "$dashboard/metrics" >"$daemon_dir/after"
went_back() { # FILE FILE
    awk 'NR == FNR {n = $NF; $NF = ""; was[$0] = n; next}
         {n = $NF; $NF = ""} $0 in was && n + 0 < was[$0] + 0 {print $0, was[$0], n} $0 in was {seen++}
         END {if (seen < length(was)) print "gone: " length(was) - seen}' "$1" "$2"
}
is "$(went_back "$daemon_dir/before" "$daemon_dir/after")" '' 'no counter went back, and none is gone'

# --- what Prometheus thinks of it ---------------------------------------------------------------

is "$(promtool check metrics <"$daemon_dir/after" 2>&1)" '' 'promtool has nothing to say'
like "$(fetch -I "$dashboard/metrics" | tr -d '\r')" '^[Cc]ontent-[Tt]ype: text/plain; version=0\.0\.4' 'it says what it is'
is "$(fetch "$dashboard/metrics" | sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' | sort | uniq -d)" '' 'each metric is said once'
pgcrew stats --prometheus >"$daemon_dir/tool"
is "$(promtool check metrics <"$daemon_dir/tool" 2>&1)" '' 'nor of what pgcrew stats --prometheus prints'
names() { sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$1"; }
is "$(names "$daemon_dir/tool")" "$(names "$daemon_dir/after")" 'which is the same'

# --- a database that is slow or away: the daemon's half is there -----------------------------------

sql "alter function pgcrew.health(bigint) rename to real_health;
     create function pgcrew.health(bigint) returns table (name text, subject text, level text, value float8, finding text, fix text)
     language plpgsql security definer set search_path = '' as
     \$\$ begin perform pg_catalog.pg_sleep(20); end \$\$"
ok 'a slow database: the rest is told in time'  has 'pgcrew_database_up 0'
ok 'of the daemon'                              says "$dashboard" 'pgcrew_up 1'
not_ok 'nothing old is told of the queues'      says "$dashboard" 'pgcrew_queue_scheduled{queue="default"} 1'
sql 'drop function pgcrew.health(bigint); alter function pgcrew.real_health(bigint) rename to health'
ok 'when it is quick again so is its half'      has 'pgcrew_database_up 1'
ok 'with all there is'                          has 'pgcrew_queue_scheduled{queue="default"} 1'
pg_stop immediate
ok 'without a database, too'                    has 'pgcrew_database_up 0'
pg_up
ok 'until it is back'                           wait_for 40 says "$dashboard" 'pgcrew_database_up 1'

# --- who may --------------------------------------------------------------------------------------

stop_daemon
token=$(head -c 24 /dev/urandom | base64 -w 0 | tr '+/' '-_')
(umask 077 && printf '%s\n' "$token" >"$daemon_dir/token")
start_daemon "${options[@]}" dashboard.metrics=login "dashboard.token_file=$daemon_dir/token"
status_is() { [ "$(fetch -o /dev/null -w '%{http_code}' "${@:2}" "$dashboard/metrics")" = "$1" ]; }
ok 'login: not without the token'               wait_for 20 status_is 401
ok 'with it'                                    status_is 200 -H "Authorization: Bearer $token"
not_ok 'with another'                           status_is 200 -H "Authorization: Bearer x$token"
stop_daemon
start_daemon "${options[@]}" dashboard.metrics=off
ok 'off: nobody'                                wait_for 20 status_is 404
stop_daemon
done_testing
