#!/usr/bin/env bash
# A worker is told that its lease is gone when it is not (old news, overtaken by a new
# registration): its handler is killed, and the job, which is still its own, goes back when
# the handler has ended.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
# The first attempt takes its time to die.
handlers "  stubborn: {exec: [/bin/sh, -c, 'echo \$PGCREW_ATTEMPT >>$daemon_dir/ran; [ -e $daemon_dir/second ] && exit 0; trap \"\" TERM; while [ ! -e $daemon_dir/die ]; do sleep 0.1; done']}"
start_daemon worker.count=1 queue.lease=6s queue.poll_interval=300ms worker.kill_grace=60s
id=$(enqueue stubborn)
ok 'a job runs'                                  wait_for 10 test -s "$daemon_dir/ran"
sql "create table public.hidden (process uuid);
     insert into hidden select process from pgcrew.workers;
     alter function pgcrew.heartbeat(uuid[]) rename to true_heartbeat;
     create function pgcrew.heartbeat(p_processes uuid[]) returns table (process uuid, cancels bigint[])
     language sql security definer as \$\$
       with once as (delete from public.hidden h where h.process = any (p_processes) returning h.process)
       select t.process, t.cancels from pgcrew.true_heartbeat(p_processes) t
        where t.process not in (select o.process from once o) \$\$;
     grant execute on function pgcrew.heartbeat(uuid[]) to pgcrew_worker"
ok 'the worker is told that its lease is gone'   wait_for 20 logged "job $id.*lease is gone"
registered_again() { [ "$(sql 'select max(holder) from pgcrew.workers')" -gt 1 ]; }
ok 'and registers again'                         wait_for 10 registered_again
touch "$daemon_dir/second"
is "$(sql "select count(*) from pgcrew.claims c, pgcrew.workers w where c.holder = w.holder and $id = any (c.job_ids)")" 1 \
    'while the handler dies nobody else may start it'
touch "$daemon_dir/die"
ok 'then it goes back and is run again'          wait_for 20 job_is "$id" succeeded
is "$(wc -l <"$daemon_dir/ran")" 2               'once'
stop_daemon
done_testing
