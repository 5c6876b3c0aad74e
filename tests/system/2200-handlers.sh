#!/usr/bin/env bash
# Handlers that behave badly hurt nobody else.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

handlers "  flood: {exec: [/bin/sh, -c, 'head -c 104857600 /dev/zero | tr \"\\\\0\" x']}
  noise: {exec: [/bin/sh, -c, 'yes loud | head -c 104857600 >&2']}
  deaf: {exec: [/bin/sh, -c, 'exec 0<&-; exit 0']}
  litter: {exec: [/bin/sh, -c, 'setsid sleep 300 & setsid sh -c \"sleep 301 & sleep 302\" & exit 0']}
  stubborn: {exec: [/bin/sh, -c, 'trap \"\" TERM INT HUP; while :; do sleep 1; done'], timeout: 500ms}
  badfd3: {exec: [/bin/sh, -c, 'head -c 100000 /dev/urandom >&3; echo done']}
  env: {exec: [/usr/bin/env]}
  guard: {exec: [/bin/sh, -c, 'grep -c /libcrypto /proc/\$PPID/maps || true']}
  good: {exec: [/bin/true]}"
export SECRET_OF_THE_DAEMON=planted DATABASE_URL_OF_OTHERS=planted
start_daemon worker.count=2 worker.kill_grace=300ms queue.poll_interval=500ms

id=$(enqueue flood)
ok   'printing 100 MB does not harm the worker'    wait_for 60 job_is "$id" succeeded
is "$(job "$id" "result ->> 'bytes'")" 104857600  'the result says how much it was'
is "$(job "$id" "result ->> 'pgcrew_truncated'")" true 'and that it was cut'
id=$(enqueue noise)
ok   'writing 100 MB to stderr does not either'    wait_for 60 job_is "$id" succeeded
ok   'and the log stays small'                     test "$(stat -c %s "$daemon_out")" -lt 4000000
id=$(enqueue deaf "{\"long\": \"$(head -c 100000 /dev/zero | tr '\0' x)\"}")
ok   'closing stdin early is fine'                 wait_for 10 job_is "$id" succeeded
id=$(enqueue litter)
ok   'leaving processes behind that hold the pipes is no delay' wait_for 10 job_is "$id" succeeded
no_litter() { ! pgrep -f 'sleep 30[012]' >/dev/null; }
ok   'and they are gone'                           wait_for 5 no_litter
id=$(enqueue stubborn)
timed_out() { [ "$(sql "select count(*) from pgcrew.attempts where job_id = $id and cause = 'timeout'")" -ge 1 ]; }
ok   'ignoring TERM ends by KILL'                  wait_for 10 timed_out
sql "select * from pgcrew.cancel_jobs(array[$id])" >/dev/null
id=$(enqueue badfd3)
ok   'garbage on fd 3 is ignored'                  wait_for 10 job_is "$id" succeeded
id=$(enqueue env)
ok   'a handler sees its environment'              wait_for 10 job_is "$id" succeeded
job "$id" "result #>> '{}'" >"$daemon_dir/env"
not_ok "nothing of the daemon's environment"       grep -q planted "$daemon_dir/env"
not_ok 'no database URL'                           grep -Eq '^(PGHOST|PGUSER|DATABASE_URL|NOTIFY_SOCKET)=' "$daemon_dir/env"
ok   'its job id'                                  grep -q "^PGCREW_JOB_ID=$id\$" "$daemon_dir/env"
id=$(enqueue guard)
ok   'a handler looks at its guard'                wait_for 10 job_is "$id" succeeded
if readelf -d "$build/pgcrewd" | grep -q NOW; then
    is "$(job "$id" result)" 0                    'of the libraries of the worker it has what it needs'
else
    skip 'linked without -z now'                  'of the libraries of the worker it has what it needs'
fi
ok   'which is not all of them'                    grep -q /libcrypto "/proc/$(worker_pids | head -n 1)/maps"
id=$(enqueue good)
ok   'after all that a good job runs'              wait_for 10 job_is "$id" succeeded
is "$(worker_pids | wc -l)" 2                     'no worker was lost'
not_ok 'none was replaced'                         logged 'starting it again'
stop_daemon
done_testing
