#!/usr/bin/env bash
# The supervisor is killed: the next one gives back at once what its workers held, but not
# before nothing of them lives.  Leases are so long here that they are of no help.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/ledger.sh"
pg_start && migrate || bail 'no database'
daemon_setup
ledger_setup "$daemon_dir/ledger"
list=$daemon_socket.lock
gate=$daemon_dir/gate

# Works until the gate is gone, and so does what it starts in a session of its own; both hold
# the lock of the job.  The payload of modules names the gate, so all get that.
cat >"$daemon_dir/handler" <<END
work() {
    cat >/dev/null
    exec 9>>"$ledger/locks/\$job"
    flock -n 9 || note twice
    setsid sh -c 'while [ -e $gate ]; do sleep 0.05; done' &
    note begin
    while [ -e $gate ]; do sleep 0.05; done
    wait
    note end
}
note() { echo "\$1 \$job 1 \$EPOCHREALTIME here" >>"$ledger/lines"; }
if [ -n "\$PGCREW_HANDLER_FD" ]; then
    . "$(cd "$(dirname "$0")/../.." && pwd)/contrib/handlers/shell/pgcrew-handler.sh"
    each() { job=\${facts[id]}; work; }
    serve each heirs
else
    job=\$PGCREW_JOB_ID
    work
fi
END

sql "create schema app;
     grant usage on schema app to pgcrew_worker;
     create table app.effects (job_id bigint);
     create table app.gate (closed int);
     create function app.work(p jsonb) returns void language plpgsql security definer as \$\$
       begin
         while exists (select from app.gate) loop perform pg_sleep(0.05); end loop;
         insert into app.effects values (current_setting('pgcrew.job_id')::bigint);
       end \$\$"
handlers "  exec: {exec: [/bin/bash, $daemon_dir/handler]}
  serve: {serve: [/bin/bash, $daemon_dir/handler]}
  module: {module: $build/tests/unit/trial_module.so, function: wait_for_file}
  sql: {sql: app.work}"
options=(worker.count=2 worker.slots=4 queue.lease=60s queue.poll_interval=200ms)

close_gate() { : >"$gate"; sql 'insert into app.gate values (1)'; }
open_gate() { rm -f "$gate"; sql 'delete from app.gate'; }
# enter KIND...: sets $ids.
enter() {
    ids=()
    for kind; do
        ledger_enter "insert into public.jobs (kind, payload) values ('$kind', '{\"file\": \"$gate\"}') returning id"
        ids+=("$(tail -n 1 "$ledger/entered")")
    done
}
all_run() { [ "$(sql "select count(*) from public.jobs where status = 'running'")" = "${#ids[@]}" ]; }
token() { sql "select token from pgcrew.claims where $1 = any (job_ids)"; }
newest() { sql 'select coalesce(max(token), 0) from pgcrew.claims'; }
is_back() { # ID TOKEN: claimed anew, and begun
    [ "$(token "$1")" -gt "$2" ] && [ "$(job "$1" status)" = running ]
}
listed() { grep -c '^[0-9a-f]\{8\}-' "$list"; } # with the line that says which boot it is
processes() { sql 'select process from pgcrew.workers order by 1'; }
in_list() { tail -n +2 "$list" | grep -o '^[0-9a-f-]\{36\}' | sort; }
descriptors() { find "/proc/$1/fd" -lname "$list" -printf x | wc -c; }
same_in_list() { [ "$(in_list)" = "$(processes)" ]; }

# --- every way to run a job ---------------------------------------------------------------
start_daemon "${options[@]}"
ok 'all workers are in the list'                       wait_for 10 same_in_list
close_gate
enter exec serve module sql
ok 'jobs of each way run'                              wait_for 20 all_run
handler=$(pgrep -f "^/bin/bash $daemon_dir/handler" | head -n 1)
is "$(descriptors "$(pgrep -P "$daemon_pid" worker | head -n 1)")" 1 'a worker has the list open, once'
is "$(descriptors "$(ps -o ppid= -p "$handler" | tr -d ' ')")" 1 'so has a guard'
is "$(descriptors "$handler")" 0                       'a handler has not'
before=$(newest)
kill_daemon
run_daemon
for i in 0 1 2 3; do
    ok "supervisor killed: the job of $(job "${ids[i]}" kind) runs again" wait_for 20 is_back "${ids[i]}" "$before"
done
ok 'it is said'                                        logged 'a daemon was killed here'
ok 'only those who live are in the list'               wait_for 10 same_in_list
open_gate
ok 'all jobs end'                                      wait_for 20 all_ended
is "$(sql "select string_agg(distinct status || ' ' || attempts, ', ') from public.jobs")" 'succeeded 1' 'well, and nothing is charged'
is "$(sql "select string_agg(distinct cause, ', ') from pgcrew.attempts")" host_lost 'no job is blamed for it'
is "$(sql 'select count(*) from pgcrew.attempts')" 4   'each attempt that ran is noted'
is "$(sql 'select count(*) from app.effects')" 1       'the SQL function was committed once'
not_ok 'no attempt met another'                        grep '^twice' "$ledger/lines"

# --- an old worker, an old guard that is stopped lives -----------------------------------------
stop_daemon
is "$(listed)" 1                                       'an orderly end leaves nobody in the list'
start_daemon worker.count=3 worker.slots=1 queue.lease=60s queue.poll_interval=200ms
close_gate
enter exec exec exec
ok 'three workers have a job each'                     wait_for 20 all_run
before=$(newest)
stopped=$(worker_pid_of "${ids[0]}")
guard=$(pgrep -P "$(worker_pid_of "${ids[1]}")" guard)
at_exit 'kill -CONT $stopped $guard 2>/dev/null'
kill -STOP "$stopped" "$guard"
kill_daemon
run_daemon
ok 'what nobody is stopped of comes back'              wait_for 20 is_back "${ids[2]}" "$before"
ok 'the stopped worker lives'                          kill -0 "$stopped"
ok 'so does the stopped guard'                         kill -0 "$guard"
ok 'the job of a stopped worker is not given back'     test "$(token "${ids[0]}")" -le "$before"
ok 'nor that of a stopped guard'                       test "$(token "${ids[1]}")" -le "$before"
kill -CONT "$guard"
ok 'the guard goes on, and ends: its job comes back'   wait_for 20 is_back "${ids[1]}" "$before"
ok 'the other does not'                                test "$(token "${ids[0]}")" -le "$before"
kill -CONT "$stopped"
ok 'the worker goes on, and ends: its job comes back'  wait_for 20 is_back "${ids[0]}" "$before"

# --- killed again, all of it killed, and nonsense in the list -----------------------------------
before=$(newest)
if grep -q PGCREW_FAULT "$build/pgcrewd"; then
    mkdir "$daemon_dir/faults"
    touch "$daemon_dir/faults/legacy.gone"
    kill_daemon
    PGCREW_FAULT=$daemon_dir/faults run_daemon
    ok 'the next one is killed before it has given back' wait_for 20 daemon_is_gone
    wait "$daemon_pid" 2>/dev/null
else
    skip 'a build without failure points'              'the next one is killed before it has given back'
    kill_daemon
fi
head -c 1000 /dev/urandom >>"$list"
run_daemon
for i in 0 1 2; do
    ok "one after it gives back, whatever else is in the list: job $i" wait_for 20 is_back "${ids[i]}" "$before"
done
before=$(newest)
# shellcheck disable=SC2046
kill -KILL "$daemon_pid" $(processes_below "$daemon_pid") 2>/dev/null
wait "$daemon_pid" 2>/dev/null
run_daemon
for i in 0 1 2; do
    ok "all of it is killed: job $i runs again"        wait_for 20 is_back "${ids[i]}" "$before"
done
open_gate
ok 'all jobs end'                                      wait_for 20 all_ended
is "$(sql "select string_agg(distinct status || ' ' || attempts, ', ') from public.jobs")" 'succeeded 1' 'well'
is "$(sql "select string_agg(distinct cause, ', ') from pgcrew.attempts")" host_lost 'no job is blamed'
not_ok 'no attempt met another'                        grep '^twice' "$ledger/lines"
ok 'nothing is left in the tables of the protocol'     wait_for 5 nothing_left
stop_daemon
head -c 100000 /dev/urandom >"$list"
start_daemon "${options[@]}"
ok 'a list that is none is begun anew'                 wait_for 10 same_in_list
is "$(stat -c %a "$list")" 600                         'for its user alone'
stop_daemon
rm -f "$list"
ln -s "$daemon_dir/else" "$list"
run_daemon
ok 'a link in its place is not followed'               wait_for 10 daemon_is_gone
not_ok 'and nothing is written there'                  test -e "$daemon_dir/else"
daemon_pid=
rm -f "$list"
: >"$daemon_dir/precious"
ln "$daemon_dir/precious" "$list"
start_daemon "${options[@]}"
ok 'a file that has another name is not written to'    logged 'cannot keep a list of workers'
not_ok 'it stays as it was'                            test -s "$daemon_dir/precious"
stop_daemon
done_testing
