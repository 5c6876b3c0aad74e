#!/usr/bin/env bash
# A job that kills its worker again and again is taken out.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

# The handler's guard is its parent, the worker is the guard's.
handlers "  poison: {exec: [/bin/sh, -c, 'guard=\$(ps -o ppid= -p \$\$); kill -9 \$(ps -o ppid= -p \$guard); sleep 5']}
  good: {exec: [/bin/true]}"
start_daemon worker.count=1 queue.poll_interval=500ms
id=$(enqueue poison)
ok 'the job is failed'                             wait_for 60 job_is "$id" failed
like "$(job "$id" error)" 'quarantine'            'its error says that it is in quarantine'
is "$(sql "select count(*) from pgcrew.attempts where job_id = $id and cause = 'worker_died'")" 3 'three workers died'
id=$(enqueue good)
ok 'other jobs go on'                              wait_for 40 job_is "$id" succeeded
stop_daemon
done_testing
