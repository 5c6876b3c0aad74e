#!/usr/bin/env bash
# Drain and reload: running jobs end, nothing is lost or run twice.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers "  slow: {exec: [/bin/sh, -c, 'echo \$PGCREW_JOB_ID >> $daemon_dir/ledger; exec sleep 1']}
  endless: {exec: [/bin/sleep, '600']}"
options=(worker.count=2 worker.slots=2 worker.drain_timeout=2s worker.kill_grace=500ms queue.poll_interval=500ms)
start_daemon "${options[@]}"
sql "select pgcrew.enqueue('slow') from generate_series(1, 10)" >/dev/null
some_run() { [ "$(sql "select count(*) from pgcrew.claims")" -gt 0 ]; }
wait_for 10 some_run
old=$(worker_pids)
kill -HUP "$daemon_pid"
ok 'reload: says when nothing has changed'                wait_for 10 logged 'reload: nothing has changed'
is "$(worker_pids)" "$old"                               'reload: and replaces nobody then'
write_config "${options[@]}" retry.first=4s
kill -HUP "$daemon_pid"
replaced() { local now p; now=$(worker_pids); for p in $old; do ! grep -qx "$p" <<<"$now" || return 1; done; [ "$(wc -l <<<"$now")" -eq 2 ]; }
ok 'reload: says what has changed'                        wait_for 10 logged 'reload: retry.first 5s -> 4s'
ok 'reload: every worker is replaced'                     wait_for 20 replaced
ok 'reload: all jobs end'                                 wait_for 30 all_ended
is "$(sort "$daemon_dir/ledger" | uniq -d | wc -l)" 0    'reload: none was run twice'
is "$(wc -l <"$daemon_dir/ledger")" 10                   'reload: none was left out'
is "$(sql "select count(*) from public.jobs where status = 'succeeded' and attempts = 1")" 10 'reload: all succeeded'

cp "$daemon_config" "$daemon_dir/good.yaml"
echo 'worker.cuont: 3' >>"$daemon_config"
old=$(worker_pids)
kill -HUP "$daemon_pid"
ok 'reload: a broken file is refused, with line and nearest name' wait_for 10 logged "pgcrew.yaml:[0-9]+: .*worker.cuont.*worker.count"
is "$(worker_pids)" "$old"                               'reload: the old configuration stays in force'
cp "$daemon_dir/good.yaml" "$daemon_config"

sql 'truncate public.jobs cascade'
: >"$daemon_dir/ledger"
a=$(enqueue slow) b=$(enqueue endless)
both_run() { job_is "$a" running && job_is "$b" running; }
wait_for 10 both_run
ok 'stop: the daemon ends'                                stop_daemon
is "$(job "$a" status)" succeeded                        'stop: a job that ends in time succeeds'
is "$(job "$b" "status || attempts")" queued0            'stop: one that does not goes back, nothing charged'
is "$(sql 'select count(*) from pgcrew.ready')" 1        'stop: it can be claimed at once'
is "$(sql "select count(*) from pgcrew.attempts where job_id = $b and cause = 'worker_died'")" 0 'stop: nobody died'
done_testing
