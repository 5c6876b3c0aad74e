#!/usr/bin/env bash
# What will slow the queue down or stop it is found before it does: real causes, and the
# reason is in the log once, again when it is worse, and when it is over.
PG_CONF='max_prepared_transactions = 5
autovacuum_naptime = 1d'
. "$(dirname "$0")/../lib/setup.sh"
. "$here/../lib/queue.sh"
. "$here/../lib/tool.sh"
queue_start
handlers '  quick: {exec: [/bin/true]}'
as_root() { PGUSER=postgres sql "$@"; }
doctor_finds() { # LEVEL REGEX
    tool doctor --config "$daemon_config" --json
    [ "$(field "[.checks[] | select(.check == \"health\" and .level == \"$1\" and (.finding | test(\"$2\")))] | length > 0")" = true ]
}
figure() { # NAME [SUBJECT]: its level
    tool stats --config "$daemon_config" --json
    field ".database.health[] | select(.name == \"$1\" and .subject == \"${2:-}\") | .level"
}
n_logged() { grep -Ec -- "$1" "$daemon_out"; }
use_transactions() {
    # A part of a transaction that writes takes a number of its own.
    as_root "create table if not exists public.used (); do \$\$ begin
             for i in 1..$1 loop begin insert into public.used default values; exception when others then null; end; end loop; end \$\$"
}
# hold USER APPLICATION FD: a transaction that stays until what is said to FD ends it.
hold() {
    mkfifo "$daemon_dir/$2"
    PGUSER=$1 PGAPPNAME=$2 psql -XAtq <"$daemon_dir/$2" >"$daemon_dir/$2.out" &
    eval "exec $3>$daemon_dir/$2"
    echo 'begin isolation level repeatable read; select 1;' >&"$3"
    wait_for 10 test -s "$daemon_dir/$2.out" || bail 'no transaction'
}
measured_often=(database.health_interval=1s database.old_transaction=1s)

write_config worker.count=1 "${measured_often[@]}"
ok 'nothing is wrong: doctor says so' doctor_finds ok 'no old transaction'
PGUSER=postgres start_daemon "${measured_often[@]}"

# --- old transactions ----------------------------------------------------------------------
hold owner nightly-report 3
ok 'an old transaction: the log says whose' wait_for 30 logged 'application "nightly-report", idle in transaction keeps dead rows from being removed'
like "$(cat "$daemon_out")" 'nightly-report".* -> end it: select pg_terminate_backend\([0-9]+\)' 'and how to end it'
ok 'doctor: warns'                         doctor_finds warn 'nightly-report'
is "$(figure horizon_transactions)" warn   'stats --json: the figure'
use_transactions 200000
ok 'worse: the log says it again'          wait_for 30 logged 'ERROR.*nightly-report|error.*nightly-report'
like "$("$build/pgcrew" --config "$daemon_config" stats)" '^error: .*nightly-report' 'stats: a line for a person'
echo 'commit;' >&3; exec 3>&-
ok 'over: the log says so'                 wait_for 30 logged 'over: horizon_transactions is well again'
is "$(n_logged 'nightly-report')" 2        'in between it was not said at each measure'
ok 'doctor: content'                       doctor_finds ok 'no old transaction'

# A login that this one may not look at.
as_root 'create role stranger login'
hold stranger secretive 4
ok 'a stranger: what cannot be seen is said' doctor_finds ok 'cannot be seen'
is "$(field '.checks[] | select(.finding | test("cannot be seen")) | .fix')" 'grant pg_read_all_stats to owner' 'and which grant helps'
use_transactions 120000
ok 'but it is found by what it holds up'   doctor_finds warn 'login stranger, application .secretive., in a state that cannot be seen'
as_root 'grant pg_read_all_stats to owner'
ok 'with the grant its state is seen'      doctor_finds warn 'secretive., idle in transaction .*, [0-9]+ s'
not_ok 'and nothing is said to be hidden'  doctor_finds ok 'cannot be seen'
echo 'commit;' >&4; exec 4>&-

as_root "begin; select 1; create table public.x (); prepare transaction 'forgotten'" >/dev/null
prepared() { doctor_finds warn 'prepared transaction .forgotten. of postgres'; }
ok 'a prepared transaction'                wait_for 20 prepared
as_root "rollback prepared 'forgotten'"
as_root "select pg_create_physical_replication_slot('lost', true)" >/dev/null
as_root "select pg_create_logical_replication_slot('cdc', 'test_decoding')" >/dev/null 2>&1 ||
    echo '# no test_decoding'
ok 'slots that hold nothing up are none'   doctor_finds ok 'no old transaction'
as_root "select pg_drop_replication_slot(slot_name) from pg_replication_slots" >/dev/null

# --- numbers that run out ----------------------------------------------------------------------
as_root "select setval('public.jobs_id_seq', 17592186044415 * 9 / 10)" >/dev/null
ok 'ids of jobs run out: the log'          wait_for 30 logged 'public.jobs_id_seq has given out 15832967439973 of its 17592186044415 numbers'
ok 'doctor'                                doctor_finds warn 'jobs_id_seq'
is "$(figure sequence_used_percent public.jobs_id_seq)" warn 'stats'
as_root "select setval('public.jobs_id_seq', 17592186044410)" >/dev/null
ok 'nearly none is left: an error'         doctor_finds error 'jobs_id_seq.*: 5 are left'
as_root "select setval('public.jobs_id_seq', 1000), setval('pgcrew.queues_number_seq', 31500)" >/dev/null
ok 'numbers of queues'                     doctor_finds error 'queues_number_seq'
as_root "select setval('pgcrew.queues_number_seq', 10)" >/dev/null
is "$(figure sequence_used_percent public.jobs_id_seq)" ok 'and well again'

# --- autovacuum ----------------------------------------------------------------------------------
PGUSER=owner sql "insert into pgcrew.unique_keys select 'k' || i, i from generate_series(1, 60000) i;
                  delete from pgcrew.unique_keys"
ok 'dead rows that nobody removes'         wait_for 20 doctor_finds warn 'pgcrew.unique_keys has 60000 dead rows.*does not keep up, last vacuum: never'
ok 'the log says so'                       wait_for 20 logged 'pgcrew.unique_keys has 60000 dead rows'
PGUSER=owner sql 'vacuum pgcrew.unique_keys'
is "$(figure dead_rows pgcrew.unique_keys)" ok 'after a vacuum all is well'
PGUSER=owner sql 'alter table pgcrew.ready set (autovacuum_enabled = false)'
ok 'autovacuum switched off for a table'   doctor_finds warn 'pgcrew.ready has .*autovacuum is off'
PGUSER=owner sql 'alter table pgcrew.ready reset (autovacuum_enabled)'
stop_daemon

# --- clocks ----------------------------------------------------------------------------------------
if command -v faketime >/dev/null; then
    : >"$daemon_out"
    write_config worker.count=1 "${measured_often[@]}"
    FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f +10s "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
    daemon_pid=$!
    ok 'a clock ahead: the log'            wait_for 30 logged 'the clock of the server is [0-9.]+ s behind that of this host'
    id=$(enqueue quick)
    ok 'jobs run all the same'             wait_for 30 job_is "$id" succeeded
    clocks() { FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f "$1" "$build/pgcrew" --config "$daemon_config" doctor; }
    like "$(clocks -1h)" 'error +health +the clock of the server is 3[56][0-9][0-9]\.[0-9] s ahead' 'doctor: a clock that is behind'
    like "$(clocks +0)" '^ok +health'      'doctor: clocks that agree'
    stop_daemon
else
    skip 'faketime is not installed' 'a clock that is wrong'
fi

done_testing
