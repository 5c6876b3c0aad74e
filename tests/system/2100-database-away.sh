#!/usr/bin/env bash
# A database that is away at the start, stops hard, is restarted, has no schema yet:
# nothing of the daemon needs a restart.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
sql 'alter role pgcrew_worker login'

handlers "  quick: {exec: [/bin/true]}
  slow: {exec: [/bin/sleep, '3']}"
pg_stop
start_daemon_anyway worker.count=2 queue.poll_interval=500ms
ok 'without a database the daemon waits and says so' wait_for 10 logged 'no database: .*trying again'
pids=$(worker_pids)
pg_up
ok 'with the database it goes on'                    wait_for 20 workers_hold 2
is "$(worker_pids)" "$pids"                         'with the same processes'
id=$(enqueue quick)
ok 'and works'                                       wait_for 10 job_is "$id" succeeded

slow=$(enqueue slow)
wait_for 10 job_is "$slow" running
pg_restart immediate
id=$(enqueue quick)
ok 'after an immediate stop and start it works again' wait_for 20 job_is "$id" succeeded
ok 'a job that ran meanwhile succeeds'               wait_for 20 job_is "$slow" succeeded
is "$(job "$slow" attempts)" 1                      'by the attempt that was running'
is "$(sql "select count(*) from pgcrew.attempts where job_id = $slow")" 0 'and no other'

have_worked() {
    [ "$(sql 'select count(*) filter (where backend_start < now() - interval $$1.5 s$$) from pg_stat_activity
              where usename = $$pgcrew_worker$$')" = 3 ]
}
wait_for 20 have_worked
before=$(wc -l <"$daemon_out")
sql 'select pg_terminate_backend(pid) from pg_stat_activity where usename = $$pgcrew_worker$$' >/dev/null
id=$(enqueue quick)
ok 'terminated sessions come back'                   wait_for 20 job_is "$id" succeeded
first_waits() { tail -n +$((before + 1)) "$daemon_out" | grep -Eq 'worker .: no database: .*again in [1-5]?[0-9] ms'; }
ok 'with the first wait: earlier losses are forgotten' first_waits
is "$(worker_pids)" "$pids"                         'all this with the same processes'
stop_daemon

sql "comment on table public.jobs is 'pgcrew job queue; schema version 4'"
start_daemon_anyway worker.count=1
id=$(enqueue quick)
ok 'an older schema is named, with what to do'       wait_for 10 logged "schema has version 4.*pgcrew migrate"
is "$(job "$id" status)" queued                     'and nothing is claimed'
sql "comment on table public.jobs is 'pgcrew job queue; schema version 6'"
ok 'once it fits the job runs, without a restart'    wait_for 20 job_is "$id" succeeded
stop_daemon

sql "comment on table public.jobs is 'pgcrew job queue; schema version 99'"
start_daemon_anyway worker.count=1
ok 'a newer schema is named, with what to do'        wait_for 10 logged 'schema has version 99.*newer pgcrew'
id=$(enqueue quick)
sql "comment on table public.jobs is 'pgcrew job queue; schema version 99; programs since 6'"
ok 'one that is for this version, too, is worked with' wait_for 20 job_is "$id" succeeded
ok 'and it is said that it is newer'                 logged 'schema has version 99.* and fits'
stop_daemon
sql "comment on table public.jobs is 'somebody else'"
start_daemon_anyway worker.count=1
ok "somebody else's jobs table is left alone"        wait_for 10 logged 'was not made by pgcrew'
stop_daemon
sql 'create database empty'
PGDATABASE=empty start_daemon_anyway worker.count=1
ok 'a missing schema is named, with what to do'      wait_for 10 logged "no jobs table.*pgcrew migrate"
PGDATABASE=empty migrate >/dev/null
PGDATABASE=empty wait_for 20 workers_hold 1
tap_pass 'after migrating the same daemon works'
stop_daemon
done_testing
