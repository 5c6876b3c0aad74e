#!/usr/bin/env bash
# Workers are replaced between jobs: after so many, so long, above so much memory.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

handlers "  true: {exec: /bin/true}
  nap: {exec: [/bin/sleep, '2']}
  nothing: {module: $build/tests/unit/trial_module.so}
  echo: {module: $build/tests/unit/trial_module.so}
  leak: {module: $build/tests/unit/trial_module.so}"
all_succeeded() { [ "$(sql "select count(*) from jobs where status <> 'succeeded'")" = 0 ]; }
is_other() { [ -n "$(worker_pids)" ] && [ "$(worker_pids)" != "$1" ]; }

start_daemon worker.count=1 worker.recycle_jobs=20 queue.poll_interval=200ms worker.claim_max=10
before=$(worker_pids)
sql "insert into jobs (kind) select 'true' from generate_series(1, 100)"
ok 'a hundred jobs by workers that do twenty each' wait_for 60 all_succeeded
ok 'were done by several'                          is_other "$before"
ok 'which the log says'                            logged 'recycling after [0-9]+ jobs'
is "$(sql 'select count(*) from pgcrew.attempts')" 0 'no job was disturbed'
not_ok 'and nobody died'                           logged 'was killed by signal'
stop_daemon

start_daemon worker.count=1 worker.recycle_age=1s queue.poll_interval=200ms
before=$(worker_pids)
id=$(enqueue nap)
ok 'a job that takes longer than the age'          wait_for 20 job_is "$id" succeeded
ok 'ends before its worker does'                   wait_for 20 is_other "$before"
is "$(job "$id" attempts)" 1                      'in one attempt'
stop_daemon

start_daemon worker.count=1 worker.recycle_memory=48MiB queue.poll_interval=200ms
before=$(worker_pids)
id=$(enqueue echo '{"a": 1}')
wait_for 10 job_is "$id" succeeded
ok 'a small worker stays'                          test "$(worker_pids)" = "$before"
id=$(enqueue leak)
ok 'one that has grown is replaced'                wait_for 20 is_other "$before"
ok 'which the log says, too'                       logged 'recycling at [0-9]+ KiB of memory'
stop_daemon
done_testing
