#!/usr/bin/env bash
# A kind without a handler waits, without being claimed over and over, and without
# being charged; it runs as soon as a worker has that handler.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers '  known: {exec: [/bin/true]}'
start_daemon worker.count=2 queue.poll_interval=200ms
lost=$(enqueue unknown)
for _ in 1 2 3; do
    id=$(enqueue known)
    ok 'jobs of known kinds run past it'               wait_for 10 job_is "$id" succeeded
done
ok   'the log says which kind waits for a handler'     wait_for 30 logged 'wait for a handler.*unknown'
is "$(job "$lost" "status || attempts")" queued0      'it still waits, nothing charged'
is "$(sql "select last_value from pgcrew.claims_token_seq")" 3 'it was never claimed'
handlers '  known: {exec: [/bin/true]}
  unknown: {exec: [/bin/true]}'
write_config worker.count=2 queue.poll_interval=200ms
kill -HUP "$daemon_pid"
ok   'after a reload with its handler it runs'         wait_for 15 job_is "$lost" succeeded
stop_daemon
done_testing
