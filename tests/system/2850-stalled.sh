#!/usr/bin/env bash
# STALLED: workers are idle, jobs that they could take wait, and nothing is claimed.  Whose
# fault it is decides what is done; what only looks like it is none.
PG_CONF='track_functions = pl'
. "$(dirname "$0")/../lib/setup.sh"
. "$here/../lib/stall.sh"
pg_start && migrate || bail 'no database'
handlers "  quick: {exec: [/bin/true]}
  slow: {exec: [/bin/sleep, '600']}"
# --- the database gives nothing -----------------------------------------------------------
listen_as_systemd
start_watched worker.count=2 "${impatient[@]}"
ok 'two workers are idle' wait_for 20 all_idle
first=$(enqueue quick)
ok 'they work' wait_for 20 job_is "$first" succeeded
ok 'ping is content' is_content
before=$(worker_pids | sort | tr '\n' ' ')

claims_nothing true
id=$(enqueue quick)
ok 'broken claim(): the log says STALLED'     wait_for 30 logged 'STALLED: workers are idle and 1 jobs wait in queue default'
like "$(cat "$daemon_out")" 'STALLED: .*pgcrew.claim\(\) finds none of them though nobody holds' 'and what is known of the why'
out=$(pgcrew ping)
is "$?" 1                                      'ping: status 1'
like "$out" '^pgcrewd .*: stalled, pid'        'ping: says so'
like "$out" 'finds none of them'               'ping: and why'
is "$(asked ping .state)" stalled              'ping --json: is the state'
is "$(asked stats .daemon.stall.queues)" default     'stats --json: which queues'
is "$(asked stats .daemon.stall.fault)" database     'stats --json: whose fault'
is "$(asked stats '.database.queues[] | select(.queue == "default") | .state')" stalled 'stats --json: state of the queue'
is "$(asked stats '.database.queues[] | select(.queue == "default") | .oldest_ms > 0')" true 'stats --json: how long it waits'
like "$(pgcrew stats)" '^STALLED for .*finds none' 'stats: a line for a person'
like "$(pgcrew doctor)" 'error +daemon +STALLED'   'doctor: an error'
ok 'systemd: has it as status'                 wait_for 5 notified 'STATUS=STALLED: nothing claimed of queue default'
fed=$(n_fed)
fed=$((fed + 10))
ok 'systemd: hears from us all the same'       wait_for 20 fed_again "$fed"
is "$(worker_pids | sort | tr '\n' ' ')" "$before" 'no worker was replaced for it'
is "$(n_stalls)" 1 'it was said once'
sql "update public.jobs set run_at = run_at - interval '1 min' where id = $id"
like "$(pgcrew why "$id")" '2 workers could take it, but do not: pgcrew.claim\(\) finds none' 'why: knows it'
claims_again
ok 'mended: the job runs'                      wait_for 30 job_is "$id" succeeded
ok 'the log says that it is over, and how long it took' wait_for 20 logged 'STALLED no more, after [0-9.]+ s: '
ok 'ping is content again'                     wait_for 10 is_content
is "$(asked stats .daemon.stalls)" 1           'stats --json: it is counted'

# --- rows that somebody has locked ----------------------------------------------------------
n=$(n_stalls)
mkfifo "$daemon_dir/holds"
PGAPPNAME=careless psql -XAtq <"$daemon_dir/holds" >/dev/null &
exec 3>"$daemon_dir/holds"
# shellcheck disable=SC2046 # several
kill -STOP $(worker_pids)
id=$(enqueue quick)
echo "begin; select from pgcrew.ready for update;" >&3
is_locked() { [ -z "$(sql 'select place from pgcrew.ready for update skip locked')" ]; }
ok 'somebody locks the rows'                   wait_for 10 is_locked
# shellcheck disable=SC2046
kill -CONT $(worker_pids)
ok 'locked rows: STALLED'                      wait_for 30 stalls_again "$n"
like "$(cat "$daemon_out")" 'STALLED: .*locked by pid [0-9]+, login postgres, application "careless"' 'by whom'
echo 'commit;' >&3
ok 'let go: the job runs'                      wait_for 30 job_is "$id" succeeded
exec 3>&-

# --- what is no stall -------------------------------------------------------------------------
n=$(n_stalls)
enqueue nobody >/dev/null
sql "select pgcrew.enqueue('quick', run_at => now() + interval '1 day'), pgcrew.enqueue('quick', queue => 'other')" >/dev/null
wait_looks 15
is "$(n_stalls)" "$n" 'a kind without handler, a scheduled job, another queue are none'
sql "delete from public.jobs where status = 'queued'"
a=$(enqueue slow)
b=$(enqueue slow)
both_run() { job_is "$a" running && job_is "$b" running; }
wait_for 20 both_run
id=$(enqueue quick)
wait_looks 15
is "$(n_stalls)" "$n" 'nor is a queue behind busy workers'
sql "select pgcrew.cancel_jobs('{$a,$b}')" >/dev/null
ok 'the job behind them runs'                  wait_for 30 job_is "$id" succeeded
claims_nothing true
id=$(enqueue quick)
ok 'stalled again'                             wait_for 30 stalls_again "$n"
pg_stop
ok 'the database goes away: that is no stall'  wait_for 30 logged 'STALLED no more, after .*: no database'
pg_up
claims_again
ok 'it is back: the job runs'                  wait_for 60 job_is "$id" succeeded
stop_daemon
done_testing
