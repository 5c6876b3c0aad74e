#!/usr/bin/env bash
# A stall that is the daemon's own fault: the database gives jobs, the workers do not take
# them.  They are replaced; if that does not help systemd starts all of it anew, but never
# in circles, and never while a job runs.
PG_CONF='track_functions = pl'
. "$(dirname "$0")/../lib/setup.sh"
. "$here/../lib/stall.sh"
pg_start && migrate || bail 'no database'
handlers "  quick: {exec: [/bin/true]}
  slow: {exec: [/bin/sleep, '600']}"
given_up='the watchdog is not fed any more'
replaced() { [ "$(n_logged 'STALLED: replacing idle workers')" -ge "$1" ]; }
have_gone() { local pid; for pid; do ! kill -0 "$pid" 2>/dev/null || return 1; done; }
# What is wrong with our workers is played by the database: it gives nothing to them, and
# what it should to the janitor.
workers_claim_nothing() { claims_nothing "current_setting('application_name') not like '%/janitor'"; }

# --- it has worked before --------------------------------------------------------------------
listen_as_systemd
start_watched worker.count=2 "${impatient[@]}"
id=$(enqueue quick)
ok 'they work'                                 wait_for 20 job_is "$id" succeeded
ok 'two workers are idle'                      wait_for 20 all_idle
old=$(worker_pids)
workers_claim_nothing
id=$(enqueue quick)
ok 'the log says STALLED and whose fault it is' wait_for 30 logged 'STALLED: .*the database gives them to who asks, the workers do not ask'
ok 'idle workers are replaced'                 wait_for 10 replaced 1
# shellcheck disable=SC2086 # two
ok 'both of them'                              wait_for 30 have_gone $old
is "$(asked stats .daemon.stall.fault)" daemon 'stats: whose fault'
ok 'that does not help: the watchdog is left alone' wait_for 60 logged "$given_up"
fed=$(n_fed)
wait_looks 10
is "$(n_fed)" "$fed"                           'systemd hears nothing for ten looks'
claims_again
ok 'workers that claim after all'              wait_for 30 job_is "$id" succeeded
ok 'it is over'                                wait_for 20 logged 'STALLED no more'
ok 'systemd hears from us again'               wait_for 10 fed_again "$fed"
is "$(n_logged "$given_up")" 1                 'all of it was said once'

# --- a job runs ------------------------------------------------------------------------------
slow=$(enqueue slow)
ok 'a long job runs'                           wait_for 20 job_is "$slow" running
runs_it=$(worker_pid_of "$slow")
n=$(n_logged 'STALLED: replacing')
workers_claim_nothing
id=$(enqueue quick)
ok 'while it runs idle workers are replaced, again and again' wait_for 60 replaced $((n + 3))
is "$(n_logged "$given_up")" 1                 'the watchdog is fed all the same'
is "$(worker_pid_of "$slow")" "$runs_it"       'the job runs on where it was'
stop_daemon
claims_again
sql 'truncate public.jobs'

# --- it has never worked ---------------------------------------------------------------------
workers_claim_nothing
: >"$daemon_out"
start_watched worker.count=2 "${impatient[@]}"
id=$(enqueue quick)
ok 'one that was just started helps itself, too' wait_for 60 replaced 3
not_ok 'but is not started anew in circles'    logged "$given_up"
fed=$(n_fed)
ok 'systemd hears from it'                     wait_for 10 fed_again "$fed"
claims_again
ok 'mended, it works'                          wait_for 30 job_is "$id" succeeded
stop_daemon

# --- one that is stuck -----------------------------------------------------------------------
start_daemon worker.count=2 worker.stall_timeout=1s "${impatient[@]}"
ok 'two workers are idle'                      wait_for 20 all_idle
stuck=$(worker_pids | head -n 1)
kill -STOP "$stuck"
a=$(enqueue quick)
b=$(enqueue quick)
ok 'jobs go to the other one'                  wait_for 30 job_is "$a" succeeded
ok 'all of them'                               wait_for 30 job_is "$b" succeeded
ok 'the stuck one is found and killed'         wait_for 30 have_gone "$stuck"
stop_daemon
done_testing
