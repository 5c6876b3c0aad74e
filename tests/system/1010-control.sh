#!/usr/bin/env bash
# The control socket: one daemon a socket, garbage, rights.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers '  quick: {exec: [/bin/true]}'
start_daemon worker.count=1
pgcrew() { "$build/pgcrew" --socket "$daemon_socket" --config "$daemon_config" "$@"; }

said=$("$build/pgcrewd" -c "$daemon_config" 2>&1)
is "$?" 78                                         'a second daemon on the same socket ends with status 78'
like "$said" 'another pgcrewd'                     'and says why'
ok 'the first one is not disturbed'                pgcrew ping

for size in 1 100 70000 1000000; do
    head -c "$size" /dev/urandom | timeout 10 socat -u - "UNIX-CONNECT:$daemon_socket" >/dev/null 2>&1
done
ok 'random bytes do no harm'                       pgcrew ping
is "$(worker_pids | wc -l)" 1                     'nobody has died of them'
not_ok 'the supervisor was not killed'             logged 'killed by signal'

ok 'scale makes more workers'                      pgcrew scale 3
three() { [ "$(worker_pids | wc -l)" = 3 ]; }
ok 'and there they are'                            wait_for 10 three
ok 'scale makes fewer'                             pgcrew scale 1
one() { [ "$(worker_pids | wc -l)" = 1 ]; }
ok 'and there they are not'                        wait_for 10 one
kill -TTIN "$daemon_pid"
two() { [ "$(worker_pids | wc -l)" = 2 ]; }
ok 'TTIN makes one more'                           wait_for 10 two
kill -TTOU "$daemon_pid"
ok 'TTOU makes one less'                           wait_for 10 one
kill -USR1 "$daemon_pid"
ok 'USR1 writes the state to the log'              wait_for 5 logged 'worker 1'

if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$daemon_dir"
    chmod 666 "$daemon_socket"
    stranger() { setpriv --reuid=65534 --regid=65534 --clear-groups "$build/pgcrew" --socket "$daemon_socket" "$@"; }
    ok     'a stranger who can open the socket may ask'        stranger ping
    not_ok 'but change nothing'                                stranger scale 5
    is "$(worker_pids | wc -l)" 1                             'and nothing has changed'
else
    skip 'needs root' 'a stranger may ask'
    skip 'needs root' 'but change nothing'
    skip 'needs root' 'and nothing has changed'
fi
ok 'stop ends the daemon'                          pgcrew stop
ok 'it ends'                                       wait_for 10 daemon_is_gone
daemon_pid=
not_ok 'then nobody answers'                       pgcrew ping
done_testing
