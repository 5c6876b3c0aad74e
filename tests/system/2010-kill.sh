#!/usr/bin/env bash
# kill -9 of any process of the tree: no job is lost, none is stuck.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

# The effect: a line for each start and end, outside of the database.
handlers "  sleepy: {exec: [/bin/sh, -c, 'echo start \$PGCREW_JOB_ID >> $daemon_dir/ledger; sleep \$(cut -d: -f2 | tr -d \"}\"); echo end \$PGCREW_JOB_ID >> $daemon_dir/ledger']}"
start_daemon worker.count=2 queue.lease=3s queue.poll_interval=500ms

started() { grep -q "start $1\$" "$daemon_dir/ledger"; }
started_twice() { [ "$(grep -c "start $1\$" "$daemon_dir/ledger")" -ge 2 ]; }
long=$(enqueue sleepy '{"s":2}')
ok 'a job runs'                                     wait_for 10 started "$long"
worker=$(worker_pid_of "$long")
tree=$(processes_below "$worker")
kill -9 "$worker"
gone() { local p; for p in $tree; do ! kill -0 "$p" 2>/dev/null || return 1; done; }
ok 'worker killed: its whole tree is gone'          wait_for 5 gone
ok 'worker killed: the job starts again'            wait_for 10 started_twice "$long"
ok 'worker killed: the job succeeds'                wait_for 20 job_is "$long" succeeded
is "$(job "$long" attempts)" 1                     'worker killed: its death is not charged'
is "$(sql "select cause from pgcrew.attempts where job_id = $long")" worker_died 'worker killed: it is on record'
two_workers() { [ "$(worker_pids | wc -l)" = 2 ]; }
ok 'worker killed: there is a new one'              wait_for 10 two_workers

kill -9 "$(janitor_pid)"
id=$(enqueue sleepy '{"s":0}')
ok 'janitor killed: jobs go on'                     wait_for 10 job_is "$id" succeeded
ok 'janitor killed: there is a new one'             wait_for 10 janitor_pid
seen_again() { [ "$(sql "select count(*) from pgcrew.workers where seen_at > now() - interval '1 second'")" = 2 ]; }
ok 'janitor killed: leases are renewed again'       wait_for 10 seen_again

long=$(enqueue sleepy '{"s":2}')
wait_for 10 started "$long"
guard=$(pgrep -P "$(worker_pid_of "$long")")
handler=$(pgrep -P "$guard")
kill -9 "$handler"
handler_killed_once() { [ "$(sql "select count(*) from pgcrew.attempts where job_id = $long and cause = 'signal' and signal = 9")" = 1 ]; }
ok 'handler killed: the attempt says by which signal' wait_for 10 handler_killed_once
sql "update pgcrew.scheduled set run_at = now() where job_id = $long"
ok 'handler killed: the job succeeds later'         wait_for 20 job_is "$long" succeeded

long=$(enqueue sleepy '{"s":2}')
wait_for 10 started "$long"
guard=$(pgrep -P "$(worker_pid_of "$long")")
handler=$(pgrep -P "$guard")
kill -9 "$guard"
handler_gone() { ! kill -0 "$handler" 2>/dev/null; }
ok 'guard killed: the handler is gone'              wait_for 5 handler_gone
sql "update pgcrew.scheduled set run_at = now() where job_id = $long"
retried() { sql "update pgcrew.scheduled set run_at = now() where job_id = $long"; job_is "$long" succeeded; }
ok 'guard killed: the job succeeds later'           wait_for 20 retried

long=$(enqueue sleepy '{"s":2}')
wait_for 10 started "$long"
tree=$(processes_below "$daemon_pid")
kill_daemon
ok 'supervisor killed: the whole tree is gone'      wait_for 5 gone
run_daemon
ok 'supervisor killed: the job starts again' wait_for 20 started_twice "$long"
ok 'supervisor killed: the job succeeds'            wait_for 20 job_is "$long" succeeded

ok 'nothing is left in the tables of the protocol'  wait_for 5 nothing_left
stop_daemon
done_testing
