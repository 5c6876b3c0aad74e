#!/usr/bin/env bash
# The leases of a host are not renewed (its janitor is stuck), while its workers reach the
# database: what runs is ended once, and nothing is claimed only to be killed again.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers "  slow: {exec: [/bin/sh, -c, 'echo >>$daemon_dir/ran; while [ ! -e $daemon_dir/open ]; do sleep 0.05; done']}"
start_daemon worker.count=1 queue.lease=2s queue.poll_interval=100ms
id=$(enqueue slow)
ok 'a job runs'                             wait_for 10 test -s "$daemon_dir/ran"
stuck=$(janitor_pid)
kill -STOP "$stuck"
ok 'its lease is late: it is ended'         wait_for 20 logged "job $id.*the lease could not be renewed in time"
ok 'it goes back'                           wait_for 10 job_is "$id" queued
ok 'the log says that nothing is claimed'   wait_for 10 logged 'the lease is not renewed: claiming nothing'
lease_is_over() { [ "$(sql 'select count(*) from pgcrew.workers where seen_at + lease > clock_timestamp()')" = 0 ]; }
ok 'the lease is over'                      wait_for 20 lease_is_over
is "$(wc -l <"$daemon_dir/ran")" 1          'until then it was not run again'
touch "$daemon_dir/open"
kill -CONT "$stuck"
ok 'renewed: it runs'                       wait_for 20 job_is "$id" succeeded
is "$(wc -l <"$daemon_dir/ran")" 2          'once'
ok 'the log says so'                        logged 'the lease is renewed again'
id=$(enqueue slow)
ok 'and the next one'                       wait_for 20 job_is "$id" succeeded
stop_daemon
done_testing
