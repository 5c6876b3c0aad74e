#!/usr/bin/env bash
# Kinds with slots of their own, and the common ones beside them.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

running_of() { sql "select count(*) from jobs where kind = '$1' and status = 'running'"; }
runs() { [ "$(running_of "$1")" = "$2" ]; }

handlers "  work: {exec: [/bin/sleep, '600']}
  call: {exec: [/bin/sleep, '600'], slots: 20}
  '*': {exec: /bin/true}"
start_daemon worker.count=2 worker.slots=1 queue.poll_interval=200ms
sql "insert into jobs (kind) select 'work' from generate_series(1, 10)"
sql "insert into jobs (kind) select 'call' from generate_series(1, 60)"
ok 'two workers run as many as they have slots of that kind' wait_for 20 runs call 40
ok 'and beside them one each of the others'        runs work 2
id=$(enqueue anything)
sleep_a_bit() { [ "$(sql "select count(*) from pgcrew.claims, unnest(job_ids)")" = 42 ]; }
ok 'nothing more is claimed'                       wait_for 10 sleep_a_bit
is "$(job "$id" status)" queued                   'what has no free slot waits in the queue'
is "$(sql "select count(*) from pgcrew.ready where kind = 'call'")" 20 'so do the rest of that kind'
sql "select pgcrew.cancel_jobs(array(select id from jobs where kind = 'work'))" >/dev/null
ok 'a free common slot takes it'                   wait_for 20 job_is "$id" succeeded
ok 'the others run on'                             runs call 40
sql "select pgcrew.cancel_jobs(array(select id from jobs where kind = 'call'))" >/dev/null
ok 'all end'                                       wait_for 20 all_ended

# While one pool is busy the other is still woken at once.
id=$(enqueue call)
wait_for 10 job_is "$id" running
is_idle() { [ "$(sql 'select count(*) from pgcrew.workers where idle')" = 2 ]; }
ok 'a worker that has slots left says that it is idle' wait_for 10 is_idle
sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
ok 'it is cancelled'                               wait_for 10 all_ended
stop_daemon

# '*' may have slots of its own.
handlers "  work: {exec: [/bin/sleep, '600']}
  '*': {exec: [/bin/sleep, '600'], slots: 3}"
start_daemon worker.count=1 worker.slots=2 queue.poll_interval=200ms
sql "insert into jobs (kind) select k from unnest(array['work', 'a', 'b']) k, generate_series(1, 5)"
others() { [ "$(sql "select count(*) from jobs where kind in ('a', 'b') and status = 'running'")" = 3 ]; }
ok 'the rest has three'                            wait_for 20 others
ok 'and the named one two'                         wait_for 20 runs work 2
stop_daemon
done_testing
