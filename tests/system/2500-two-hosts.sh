#!/usr/bin/env bash
# Two supervisors on one database; one stops beating: its jobs go to the other.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers "  slow: {exec: [/bin/sh, -c, 'echo \$PGCREW_JOB_ID >> $daemon_dir/ledger; exec sleep 2']}"
start_daemon worker.count=1 queue.lease=2s queue.poll_interval=300ms
first=$daemon_pid
id=$(enqueue slow)
wait_for 10 is_claimed "$id"
# The whole first host stands still, as when it is cut off or suspended.
tree="$first $(processes_below "$first")"
# shellcheck disable=SC2086
kill -STOP $tree
daemon_socket=$daemon_dir/second.sock
start_daemon worker.count=1 queue.lease=2s queue.poll_interval=300ms
second=$daemon_pid
ok "the dead host's job is run by the other"    wait_for 20 job_is "$id" succeeded
is "$(job "$id" attempts)" 1                   'the loss is not charged'
# shellcheck disable=SC2086
kill -CONT $tree
ok 'the host that comes back drops its attempt' wait_for 15 grep -Eq 'job '"$id"'.*(dropped|killed)' "$daemon_out"
is "$(job "$id" "status || attempts")" succeeded1 'and changes nothing'
id=$(enqueue slow)
ok 'both go on'                                 wait_for 20 job_is "$id" succeeded
daemon_pid=$first
stop_daemon
daemon_pid=$second
stop_daemon
done_testing
