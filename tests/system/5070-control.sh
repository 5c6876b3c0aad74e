#!/usr/bin/env bash
# The tool and a real daemon: ping, stats, workers, scale, reload, watch, drain, stop.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
pg_start
migrate || bail 'no database'
daemon_setup
export PGCREW_CONTROL_SOCKET=$daemon_socket
handlers "  quick: {exec: [/bin/true]}
  fails: {exec: [/bin/false], retry_first: 10ms, retry_max: 10ms}
  slow: {exec: [/bin/sleep, '60'], timeout: 2min}"
start_daemon worker.count=2 queue.poll_interval=500ms

tool ping
status_is 0 'the daemon answers'
like "$out" "on testhost: running, pid $daemon_pid"     'and says who it is'
tool ping --db --json
is "$(field '.name, .database' | paste -sd ' ')" 'testhost true' 'the database answers, too'
tool --database 'host=/nonexistent' ping --db
status_is 69 'a database that does not answer'

tool enqueue slow
slow=$out
ok 'a job runs'                                         wait_for 10 job_is "$slow" running
tool stats --json
is "$(field '.daemon.name, .daemon.workers.wanted, .daemon.running, .database.claimed, .database.live' | paste -sd ' ')" \
    'testhost 2 1 1 2' 'stats counts workers and jobs'
tool stats
like "$out" '^default +0 +0 +2'                         'for people, too'
tool --database 'host=/nonexistent' stats
status_is 0 'stats without the database'
like "$errors" 'cannot reach the database'              'says that it is missing'
like "$out" 'testhost'                                  'and shows the daemon'
tool --socket /nonexistent stats --json
status_is 0 'stats without the daemon'
is "$(field '.daemon, .database.live' | paste -sd ' ')" 'null 2' 'shows the database'
tool workers --json
is "$(field '[.processes[].role] | join(" ")')" 'janitor worker worker' 'workers lists the processes'
is "$(field '[.processes[].running[]?.job_id] | join(" ")')" "$slow" 'with the job that runs'
is "$(field '[.holders[].state] | sort | join(" ")')" 'busy idle' 'and the lease holders'
tool workers
like "$out" "^ *[12] +$slow  slow"                      'for people, too'
tool why "$slow" --json
is "$(field .reason)" running                           'why knows that it runs'
tool doctor
status_is 0 'doctor finds no error'
like "$out" '^ok +daemon'                               'and the daemon'
tool job cancel "$slow"
ok 'a running job is cancelled'                         wait_for 10 job_is "$slow" cancelled

tool scale 3
status_is 0 'scale up'
ok 'starts a worker'                                    wait_for 10 workers_hold 3
tool scale 1 --json
is "$(field .workers)" 1                                'scale down'
one_holds() { [ "$(sql 'select count(*) from pgcrew.workers')" = 1 ]; }
ok 'ends two'                                           wait_for 10 one_holds
tool scale 5000
status_is 2 'too many'

handlers "$daemon_handlers
  late: {exec: [/bin/true]}"
tool enqueue late
late=$out
ok 'a kind without a handler waits'                     wait_for 10 test "$(sql "select count(*) from pgcrew.ready where job_id = $late")" = 1
tool why "$late" --json
is "$(field .reason)" no_handler                        'why knows'
write_config worker.count=2 queue.poll_interval=400ms
tool reload
status_is 0 'reload'
like "$out" 'queue.poll_interval 500ms -> 400ms'        'says what has changed'
ok 'and the job runs'                                   wait_for 10 job_is "$late" succeeded
echo 'nonsense: 1' >>"$daemon_config"
tool --config /dev/null reload
status_is 1 'a bad configuration is refused'
like "$errors" 'nonsense'                               'and the key is named'
write_config worker.count=2 queue.poll_interval=400ms

seq 40 >"$daemon_dir/lines"
tool enqueue quick --jsonl "$daemon_dir/lines"
batch=$(sed -n 's/^batch //p' <<<"$out")
tool batch watch "$batch"
status_is 0 'a batch that succeeds'
like "$out" '100.0 %: 40 of 40 ended'                   'is watched to its end'
tool enqueue fails --jsonl "$daemon_dir/lines" --max-attempts 1
batch=$(sed -n 's/^batch //p' <<<"$out")
tool batch watch "$batch"
status_is 1 'a batch that fails'
tool job log "$(sql "select min(id) from public.jobs where batch_id = '$batch'")"
like "$out" 'attempt 1 .*exit status 1'                 'the log has the attempt'
if command -v script >/dev/null; then
    tool enqueue quick --jsonl "$daemon_dir/lines"
    batch=$(sed -n 's/^batch //p' <<<"$out")
    TERM=xterm script -qfec "'$build/pgcrew' batch watch $batch" "$daemon_dir/screen" </dev/null >/dev/null 2>&1
    is $? 0                                             'on a terminal, too'
    like "$(cat "$daemon_dir/screen")" '100.0 %'        'with a full bar at the end'
else
    skip 'script is not installed' 'watch on a terminal'
fi

tool drain --wait --json
is "$(field .state)" ended                              'drain waits for the end'
tool ping
status_is 69 'then nobody answers'
wait "$daemon_pid"
is $? 0                                                 'the daemon ended with status 0'
run_daemon
wait_for 20 workers_hold 2
tool enqueue slow
slow=$out
wait_for 10 job_is "$slow" running
tool stop --fast --wait
status_is 0 'stop --fast'
is "$(job "$slow" status)" queued                       'the running job was given back'
is "$(job "$slow" attempts)" 0                          'and not charged'
daemon_pid=
done_testing
