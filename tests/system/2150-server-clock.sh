#!/usr/bin/env bash
# The clock of the server goes back by two hours: what a dead host held is given to others when
# a lease is over, not two hours later.
. "$(dirname "$0")/../lib/setup.sh"
faketime=$(printf '%s\n' /usr/lib/*/faketime/libfaketime.so.1 | head -n 1)
[ -e "$faketime" ] || skip_all 'faketime is not installed'
clock=$(mktemp "${TMPDIR:-/tmp}/pgcrew-clock.XXXXXX")
chmod 644 "$clock"
echo +0 >"$clock"

pg_as_server() {
    local as=()
    [ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    "${as[@]}" env HOME=/tmp "LD_PRELOAD=$faketime" "FAKETIME_TIMESTAMP_FILE=$clock" FAKETIME_NO_CACHE=1 \
        FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 "$@"
}
pg_start && migrate || bail 'no database'
at_exit "rm -f $clock"
daemon_setup
handlers "  slow: {exec: [/bin/sh, -c, 'test -e $daemon_dir/second || sleep 100']}"
start_daemon worker.count=1 queue.lease=3s queue.poll_interval=300ms
id=$(enqueue slow)
wait_for 10 is_claimed "$id" || bail 'the job was not claimed'
kill_daemon

before=$(sql "select now() + interval '1 hour'")
echo -7200 >"$clock"
is "$(sql "select now() < '$before'::timestamptz - interval '2 hours'")" t 'the clock has gone back'
touch "$daemon_dir/second"
daemon_socket=$daemon_dir/second.sock
start_daemon worker.count=1 queue.lease=3s queue.poll_interval=300ms
ok "the dead host's job is run by another"           wait_for 30 job_is "$id" succeeded
stop_daemon
done_testing
