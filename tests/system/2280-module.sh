#!/usr/bin/env bash
# Modules: functions inside the worker.  A crash costs one worker and its own job.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

module() { echo "{module: $build/tests/unit/trial_module.so, retry_first: 100ms, retry_max: 100ms}"; }
handlers "  nothing: $(module)
  echo: $(module)
  never: $(module)
  fail: $(module)
  in_a_minute: $(module)
  crash: $(module)
  patient: $(module)
  steps: $(module)
  wait_for_file: $(module)
  short: {module: $build/tests/unit/trial_module.so, function: patient, timeout: 300ms, retry_first: 1h, retry_max: 1h}
  stubborn: {module: $build/tests/unit/trial_module.so, timeout: 300ms, retry_first: 1h, retry_max: 1h}
  typo: {module: $build/tests/unit/trial_module.so}
  other: {module: $build/tests/unit/trial_module_other.so}
  refuses: {module: $build/tests/unit/trial_module_refuses.so, function: nothing}
  sleeper: {exec: [/bin/sleep, '600'], slots: 1}"


write_config
said=$("$build/pgcrewd" --check -c "$daemon_config" 2>&1)
is $? 78                                          '--check refuses modules that do not fit'
like "$said" "other'.*is made for version 99 of pgcrew/handler.h" 'and says why'
start_daemon worker.count=1 queue.poll_interval=500ms worker.kill_grace=300ms
ok 'the log names a module of another version'     logged "'other': module .* is made for version 99"
ok 'and one without the function'                  logged "'typo': module .* has no function 'typo'; it has: nothing, echo"
ok 'and one that refuses'                          logged "'refuses': module .* refuses to begin"

id=$(enqueue echo '{"x": [1, "ü"]}')
ok 'a function runs'                               wait_for 10 job_is "$id" succeeded
is "$(job "$id" result)" '{"x": [1, "ü"]}'        'and its result is kept'
id=$(enqueue never)
ok 'one says never again'                          wait_for 10 job_is "$id" failed
is "$(job "$id" error)" 'not a picture'           'and why'
id=$(enqueue in_a_minute)
ok 'one says when'                                 wait_for 10 has_attempt "$id" snoozed
is "$(job "$id" 'run_at - finished_at > interval $$50 s$$' ; job "$id" 'run_at > now() + interval $$50 s$$')" $'\nt' 'it comes again in a minute'
is "$(job "$id" attempts)" 0                      'which is not charged'
id=$(enqueue typo)
ok 'a broken module does not burn its jobs'        wait_for 10 has_attempt "$id" no_start
is "$(job "$id" attempts)" 0                      'they are not charged'
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
ids=$(sql "insert into jobs (kind) select 'nothing' from generate_series(1, 3000) returning id" | wc -l)

all_ended_of() { [ "$(sql "select count(*) from jobs where kind = '$1' and status <> 'succeeded'")" = 0 ]; }
ok 'all succeed'                                   wait_for 30 all_ended_of nothing
ended=$(sql "select count(*) from jobs where kind = 'nothing' and status = 'succeeded'")
is "$ended" 3000                                  'none is lost'

# A crash.
neighbour=$(enqueue sleeper)
ok 'a neighbour runs in the same worker'           wait_for 10 job_is "$neighbour" running
touch "$daemon_dir/gate"
gate=$(enqueue wait_for_file "{\"file\": \"$daemon_dir/gate\"}")
ok 'a function is at work'                         wait_for 10 job_is "$gate" running
id=$(enqueue crash)
many=$(sql "insert into jobs (kind) select 'nothing' from generate_series(1, 50) returning id" | wc -l)
rm "$daemon_dir/gate"
ok 'a job that crashes ends in quarantine'         wait_for 30 job_is "$id" failed
is "$(attempts "$id")" 'worker_died worker_died worker_died' 'after it has ended three workers'
like "$(job "$id" error)" quarantined             'and says so'
ok "the $many jobs beside it all succeed"          wait_for 20 all_ended_of nothing
is "$(sql "select count(*) from pgcrew.attempts a join jobs j on j.id = a.job_id where j.kind in ('nothing', 'sleeper', 'wait_for_file')")" 0 \
    'and are not blamed'
ok 'the neighbour runs again'                      wait_for 10 job_is "$neighbour" running
sql "select pgcrew.cancel_jobs(array[$neighbour])" >/dev/null

# Ends before its time.
id=$(enqueue patient)
wait_for 10 job_is "$id" running
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
ok 'a function can be told that its job is cancelled' wait_for 10 job_is "$id" cancelled
id=$(enqueue short)
ok 'and that its time is over'                     wait_for 10 has_attempt "$id" timeout
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
before=$(worker_pids)
id=$(enqueue stubborn)
ok 'one that does not return is over, too'         wait_for 10 has_attempt "$id" timeout
is "$(job "$id" attempts)" 1                      'and charged'
is_replaced() { [ -n "$(worker_pids)" ] && [ "$(worker_pids)" != "$before" ]; }
ok 'its worker is replaced'                        wait_for 10 is_replaced
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
id=$(enqueue echo)
ok 'and the next one works'                        wait_for 10 job_is "$id" succeeded

# What waits inside the worker goes back when it must.
touch "$daemon_dir/gate"
gate=$(enqueue wait_for_file "{\"file\": \"$daemon_dir/gate\"}")
wait_for 10 job_is "$gate" running
sql "insert into jobs (kind) select 'nothing' from generate_series(1, 20)"
stop_daemon
is "$daemon_status" 0                             'a drain does not wait for a function that listens'
is "$(sql "select count(*) from jobs where status = 'running'")" 0 'its job went back'
is "$(sql 'select count(*) from pgcrew.claims')" 0 'like those behind it'
rm -f "$daemon_dir/gate"
done_testing
