#!/usr/bin/env bash
# The supervisor as the system sees it: options, one daemon a socket, what children
# inherit, systemd, and a system that has no process left to give.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers "  env: {exec: [/usr/bin/env]}
  endless: {exec: [/bin/sleep, '600']}"

status_of() { "$@" >"$daemon_dir/said" 2>&1; echo $?; }
said() { cat "$daemon_dir/said"; }

write_config worker.count=1
is "$(status_of "$build/pgcrewd" -c "$daemon_config" --check)" 0   'check: a good configuration is fine'
is "$(said)" 'configuration is fine'                               'check: and it says so'
is "$(status_of "$build/pgcrewd" -c "$daemon_config" -o worker.count=many --check)" 78 'check: a wrong option is status 78'
like "$(said)" 'worker\.count'                                     'check: it is named'
echo 'nonsense: 1' >>"$daemon_config"
is "$(status_of "$build/pgcrewd" -c "$daemon_config")" 78          'a wrong file is status 78'
like "$(said)" 'pgcrew\.yaml:[0-9]+: '                             'with file and line'
is "$(status_of "$build/pgcrewd" --nonsense)" 2                    'wrong use is status 2'
is "$(status_of "$build/pgcrewd" -c "$daemon_config" more)" 2      'so is a word too many'
is "$(status_of "$build/pgcrewd" --version)" 0                     'it has a version'
write_config worker.count=1
is "$(status_of "$build/pgcrewd" -c "$daemon_config" -o worker.slots=7 --show-config)" 0 'the configuration can be shown'
like "$(said)" 'slots: 7'                                          'as it would be used'

# --- systemd ------------------------------------------------------------------------
notified() { grep -aq -- "$1" "$daemon_dir/notified"; }
socat -u "UNIX-RECV:$daemon_dir/notify,mode=0600" - >"$daemon_dir/notified" 2>/dev/null &
listener=$!
at_exit "kill $listener 2>/dev/null"
listens() { [ -S "$daemon_dir/notify" ]; }
wait_for 5 listens
export NOTIFY_SOCKET=$daemon_dir/notify WATCHDOG_USEC=400000
start_daemon worker.count=2 worker.slots=2 worker.drain_timeout=1s queue.lease=3s
unset NOTIFY_SOCKET WATCHDOG_USEC
ok 'systemd: is told when all children are ready'      wait_for 5 notified 'READY=1'
ok 'systemd: has a line for a person'                  wait_for 5 notified 'STATUS=2 workers (2 idle, 0 busy)'
ok 'systemd: hears from us in time'                    wait_for 5 notified 'WATCHDOG=1'
write_config worker.count=2 worker.slots=3 queue.lease=3s
kill -HUP "$daemon_pid"
ok 'systemd: knows of a reload'                        wait_for 5 notified 'RELOADING=1'
ok 'systemd: and when it began'                        notified 'MONOTONIC_USEC=[0-9]'

# --- what children inherit -----------------------------------------------------------
settled() { [ "$(worker_pids | wc -l)" = 2 ] && logged 'all children work with the new configuration'; }
wait_for 10 settled
id=$(enqueue env)
ended() { job_is "$id" succeeded; }
wait_for 10 ended
not_ok 'a handler is not told of systemd'              grep -q 'NOTIFY_SOCKET\|WATCHDOG' <<<"$(job "$id" result)"
worker=$(worker_pids | head -1)
inode=$(sed -n "s|.* \([0-9]*\) $daemon_socket\$|\1|p" /proc/net/unix | head -1)
has_inode() { find "/proc/$1/fd" -lname "socket:\[$inode\]" 2>/dev/null | grep -q .; }
ok 'the supervisor listens on the control socket'      has_inode "$daemon_pid"
not_ok 'a worker does not'                             has_inode "$worker"
like "$(cat "/proc/$worker/limits")" 'Max core file size +0 '  'a worker leaves no core'
is "$(tr -d '\0' <"/proc/$worker/cmdline" | cut -c1-16)" 'pgcrewd: worker ' 'a worker is called one'

# --- one daemon a socket ---------------------------------------------------------------
is "$(status_of timeout 10 "$build/pgcrewd" -c "$daemon_config")" 78 'a second daemon refuses to start'
like "$(said)" 'another pgcrewd answers on'            'and says why'
ok 'the first one was not disturbed'                   kill -0 "$daemon_pid"

# --- a death costs milliseconds ----------------------------------------------------------
now_ms() { date +%s%3N; }
id=$(enqueue endless)
runs() { job_is "$id" running; }
ok 'a job runs'                                        wait_for 10 runs
# The server itself notes when the job is claimed anew, so the test's own slowness does not count.
old=$(sql "select token from pgcrew.claims where $id = any (job_ids)")
victim=$(worker_pid_of "$id")
killed_at=$(sql 'select extract(epoch from clock_timestamp()) * 1000')
kill -KILL "$victim"
again() { [ -n "$(sql "select 1 from pgcrew.claims where $id = any (job_ids) and token <> $old")" ]; }
ok 'its worker dies: the job is claimed again'         wait_for 10 again
took=$(sql "select round(extract(epoch from claimed_at) * 1000 - $killed_at) from pgcrew.claims where $id = any (job_ids)")
echo "# claimed again after $took ms"
ok 'within a second'                                   test "$took" -lt 1000

ok 'it ends when told to'                              stop_daemon
is "$daemon_status" 0                                  'with status 0'
ok 'systemd: knows that we stop'                       notified 'STOPPING=1'
ok 'systemd: and that it may take a while'             notified 'EXTEND_TIMEOUT_USEC='

# --- signals at either end of its life ----------------------------------------------------------
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
write_config worker.count=0
lived=0 ended=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -f "$daemon_socket"
    run_daemon
    while kill -0 "$daemon_pid" 2>/dev/null && [ ! -S "$daemon_socket" ]; do :; done
    kill -HUP "$daemon_pid"
    wait_for 10 "$build/pgcrew" --socket "$daemon_socket" ping && lived=$((lived + 1))
    kill -TERM "$daemon_pid"
    while kill -HUP "$daemon_pid" 2>/dev/null; do read -rt 0.002 <> <(:); done
    wait "$daemon_pid" && ended=$((ended + 1))
    daemon_pid=
done
is "$lived" 10                                         'a HUP as soon as there is a socket does not end it'
is "$ended" 10                                         'nor does one while it ends'

# --- no process left -----------------------------------------------------------------------
if [ "$(id -u)" != 0 ]; then
    skip 'not root' 'the daemon survives a failing fork'
else
    write_config worker.count=2
    # Limits count what a user has on the whole machine: not the one of another test run.
    uid=$((60000 + $$ % 4000))
    chown -R "$uid:$uid" "$daemon_dir"
    nobody=(setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all --bounding-set=-all)
    # Of the four processes this user may have two are taken, so there is room for the janitor only.
    "${nobody[@]}" sleep 100 & taken=($!)
    "${nobody[@]}" sleep 100 & taken+=($!)
    "${nobody[@]}" prlimit --nproc=4 "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
    daemon_pid=$!
    ok 'fork fails: it is said'                        wait_for 10 logged 'cannot start worker 1: cannot fork'
    ok 'fork fails: the daemon lives'                  kill -0 "$daemon_pid"
    kill "${taken[@]}"
    two() { [ "$(worker_pids | wc -l)" = 2 ]; }
    ok 'when there are processes again, workers come'  wait_for 30 two
    ok 'and it ends as ever'                           stop_daemon
fi
done_testing
