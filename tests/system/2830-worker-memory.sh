#!/usr/bin/env bash
# A worker above worker.memory_max is killed; the job that makes it grow is taken out,
# the others go on.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers "  good: {exec: [/bin/true]}
  heavy: {module: $build/tests/unit/trial_module.so, function: hoard}"
start_daemon worker.count=2 worker.memory_max=60MiB queue.poll_interval=500ms

killed() { "$build/pgcrew" --config "$daemon_config" stats --json | jq .daemon.restarts.memory; }
id=$(enqueue good)
ok 'a job runs below the limit'                     wait_for 10 job_is "$id" succeeded
is "$(killed)" 0                                    'no worker is above it'
heavy=$(enqueue heavy)
ok 'a job that makes three workers grow too large'  wait_for 60 job_is "$heavy" failed
like "$(job "$heavy" error)" '^quarantined: 3 workers' 'is taken out'
is "$(sql "select count(*) from pgcrew.attempts where job_id = $heavy and cause = 'worker_died'")" 3 'each is noted'
is "$(killed)" 3                                    'and counted as killed for its memory'
ok 'the log says whom, and how much it had'         logged 'error: worker [12] \(pid [0-9]+\) has [0-9.]+ MiB of memory, worker.memory_max is 60MiB: killing it'
ok 'and why it died'                                logged 'was killed by signal 9 \(KILL\) because it had more memory than worker.memory_max'
id=$(enqueue good)
ok 'another job runs after it'                      wait_for 20 job_is "$id" succeeded
ok 'nothing is left behind'                         nothing_left
stop_daemon
is "$daemon_status" 0                               'the daemon ends as ever'
done_testing
