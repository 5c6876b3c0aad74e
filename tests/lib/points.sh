# Walking the failure points of a build with --enable-faults (src/base/fault.h): at each,
# somebody is killed, or something fails, while jobs of every way run; then nothing may be
# lost, run twice at a time, or left behind.
#
#   walk_points PART OF     points PART, PART + OF, PART + 2 * OF... of the program's list
#   points_built            are there any in this build?
#
# Needs setup.sh and a migrated database.
#
# shellcheck shell=bash

points_built() {
    grep -q 'PGCREW_FAULT' "$build/pgcrewd"
}

list_points() {
    PGCREW_FAULT=list "$build/pgcrewd"
}

# One session for all that is asked: a walk asks some thousand times.
start_psql() {
    coproc psql -XAtq 2>&1
    exec {psql_in}>&"${COPROC[1]}" {psql_out}<&"${COPROC[0]}"
}

sql() {
    local line
    printf '%s;\n\\echo @@\n' "$1" >&"$psql_in"
    while IFS= read -r line <&"$psql_out" && [ "$line" != @@ ]; do
        printf '%s\n' "$line"
    done
}

# --- what runs ------------------------------------------------------------------------

# It waits at the gate as long as that is there, if its payload says so.  An effect is a line outside of the database.  The lock is held as long as anything of
# the attempt lives, so that a second one at a time is seen.
write_handler() {
    cat >"$daemon_dir/effect" <<END
exec 9>>"$daemon_dir/locks/\$PGCREW_JOB_ID"
flock -n 9 || echo "\$PGCREW_JOB_ID overlaps" >>"$daemon_dir/ledger"
read -r payload
: >left-in-its-folder
echo '50 half' >&3
while [ "\$payload" = '"gate"' ] && [ -e "$daemon_dir/gate" ]; do sleep 0.02; done
echo "\$PGCREW_JOB_ID" >>"$daemon_dir/ledger"
echo '{"done": true}'
END
}

points_setup() {
    start_psql
    daemon_setup
    mkdir "$daemon_dir/faults" "$daemon_dir/locks" "$daemon_dir/run" "$daemon_dir/tmp" "$daemon_dir/served"
    export PGCREW_FAULT=$daemon_dir/faults PGCREW_CONTROL_SOCKET=$daemon_socket
    write_handler
    served="('served', to_jsonb('append $daemon_dir/served/' || nextval('app.served')), $no_wait)"
    sql "alter role pgcrew_worker login;
         create schema app;
         grant usage on schema app to pgcrew_worker;
         create table app.effects (job_id bigint);
         create sequence app.served;
         create function app.once(p jsonb) returns void language sql security definer set search_path = '' as
           'insert into app.effects values (current_setting(''pgcrew.job_id'')::bigint)';
         create function app.slow(p jsonb) returns void language sql as 'select pg_sleep(60)'"
    "$build/tests/unit/http_server" --port-file "$daemon_dir/port" 2>/dev/null &
    points_web=$!
    at_exit 'kill $points_web 2>/dev/null'
    wait_for 10 test -s "$daemon_dir/port" || bail 'no web server'
}

no_wait="interval '0'"
retry='retry_first: 20ms, retry_max: 100ms'

ways_of_programs() {
    handlers "  effect: {exec: [/bin/sh, $daemon_dir/effect], $retry}
  served: {serve: [$build/tests/unit/serve_program], $retry}
  once: {sql: app.once, $retry}
  slow: {sql: app.slow, $retry}"
}

# With these a worker forks its guards in another way (src/program/lean.h).
ways_of_threads() {
    ways_of_programs
    handlers "$daemon_handlers
  nothing: {module: $build/tests/unit/trial_module.so, $retry}
  ok: {http: http://127.0.0.1:$(cat "$daemon_dir/port")/ok, allow_local: yes, $retry}"
}

points_options=(worker.count=2 queue.lease=2s queue.poll_interval=100ms worker.drain_timeout=300ms
    worker.kill_grace=300ms database.durability=relaxed)

# Everything of a daemon works below its folder: what is left of it is found by that.
run_daemon() {
    (cd "$daemon_dir/run" && TMPDIR=$daemon_dir/tmp exec "$build/pgcrewd" -c "$daemon_config") \
        </dev/null >>"$daemon_out" 2>&1 {psql_in}>&- {psql_out}<&- &
    daemon_pid=$!
}

left_behind() {
    find /proc/[0-9]* -maxdepth 1 -name cwd -lname "$daemon_dir/*" 2>/dev/null | grep -o '[0-9]\+'
}

nobody_is_left() {
    [ -z "$(left_behind)" ]
}

# Whoever kills the supervisor finds another one.
keep_running() {
    [ -z "$daemon_pid" ] || ! daemon_is_gone || { wait "$daemon_pid"; run_daemon; } 2>/dev/null
}

hit() {
    local armed=("$PGCREW_FAULT"/*)
    [ ! -e "${armed[0]}" ]
}

two_workers() {
    keep_running
    [ "$(worker_pids | wc -l)" -ge 2 ] && workers_hold 2
}

start_points() {
    write_config "${points_options[@]}"
    run_daemon
    wait_for 20 two_workers
}

# --- the work ---------------------------------------------------------------------------

settled() {
    keep_running
    all_ended
}

settle() {
    wait_for "${1:-20}" settled
}

# acknowledged 'values': these jobs were enqueued.
acknowledged() {
    local n
    n=$(sql "with i as (insert into public.jobs (kind, payload, run_at, max_attempts)
                        select kind, payload, now() + wait, 30 from (values $1) v (kind, payload, wait) returning id)
             select count(*) from i")
    enqueued=$((enqueued + n))
}

work() {
    acknowledged "('effect', '{}'::jsonb, $no_wait), ('effect', '{}', interval '150 ms'),
        ('once', '{}', $no_wait), ('once', '{}', $no_wait), $served, $served$1"
    settle
}

all_run() {
    keep_running
    hit || [ "$(sql "select count(*) from public.jobs where status = 'running'")" = "$1" ]
}

# Until open_gate a job runs.
close_gate() {
    : >"$daemon_dir/gate"
    acknowledged "('effect', '\"gate\"'::jsonb, $no_wait)$1"
    wait_for 20 all_run "$2"
}

open_gate() {
    rm -f "$daemon_dir/gate"
}

sessions="from pg_stat_activity where application_name ~ '^pgcrew/testhost/([0-9]+|janitor)$'"

sessions_are_back() {
    keep_running
    [ "$(sql "select count(*) $sessions and backend_start > '$1'")" = 3 ]
}

# Sessions are lost while jobs run, and a user cancels one.
lose_sessions() {
    local lost_at
    close_gate ", ('slow', '{}', $no_wait)" 2
    lost_at=$(sql 'select clock_timestamp()')
    sql "select pg_terminate_backend(pid) $sessions" >/dev/null
    wait_for 10 sessions_are_back "$lost_at"
    "$build/pgcrew" stats >/dev/null 2>&1
    sql "select pgcrew.cancel_jobs(array(select id from public.jobs where kind = 'slow'))" >/dev/null
    open_gate
    settle
}

held_again() {
    keep_running
    hit || workers_hold 2
}

# What comes about when workers do not hear: 'stopped COMMAND...'.
stopped() {
    local workers
    workers=$(worker_pids)
    # shellcheck disable=SC2086
    kill -STOP $workers 2>/dev/null
    "$@" >/dev/null
    wait_for 1 hit
    # shellcheck disable=SC2086
    kill -CONT $workers 2>/dev/null
}

# Something waits for workers that are idle; then the leases of workers without a job are gone.
lose_leases() {
    stopped acknowledged "('once', '{}'::jsonb, $no_wait)"
    settle
    hit || stopped sql 'select pgcrew.reap_process(process, null) from pgcrew.workers'
    wait_for 10 held_again
}

guards() {
    local pid
    for pid in $(pgrep -f '^pgcrewd: guard [1-9]'); do
        case $(readlink "/proc/$pid/cwd") in "$daemon_dir"/*) echo "$pid" ;; esac
    done
}

lose_guard() {
    close_gate '' 1
    # shellcheck disable=SC2046
    kill -KILL $(guards) 2>/dev/null
    open_gate
    settle
}

# Its workers' jobs are given back by the next one.
lose_supervisor() {
    close_gate '' 1
    kill -KILL "$daemon_pid" 2>/dev/null
    wait_for 20 daemon_is_gone
    wait_for 20 two_workers
    open_gate
    settle
}

reloaded() {
    keep_running
    hit || [ "$(grep -c 'all children work with the new configuration' "$daemon_out")" -gt "$1" ]
}

reload() {
    local before
    before=$(grep -c 'all children work with the new configuration' "$daemon_out")
    write_config "${points_options[@]}" worker.slots=7
    kill -HUP "$daemon_pid" 2>/dev/null
    wait_for 20 reloaded "$before"
    work ''
}

# End while a job runs for longer than may be.
stop_early() {
    close_gate '' 1
    kill -TERM "$daemon_pid" 2>/dev/null
    wait_for 20 daemon_is_gone
    wait "$daemon_pid" 2>/dev/null
    open_gate
}

work_of_threads() {
    ways_of_threads
    start_points
    work ", ('nothing', '{}', $no_wait), ('ok', '{}', $no_wait)"
    ways_of_programs
}

# The cheap ones first: the walk of a point goes as far as that is reached.
stages=("work ''" lose_sessions lose_guard lose_supervisor reload stop_early work_of_threads lose_leases)

# --- what is promised ----------------------------------------------------------------------

broken_promises() {
    local ids id
    is_nothing "$(sql "select 'job ' || id || ' (' || kind || ') is ' || status || coalesce(': ' || error, '') from public.jobs
                        where status <> case kind when 'slow' then 'cancelled' else 'succeeded' end")"
    [ "$(sql 'select count(*) from public.jobs')" = "$enqueued" ] || echo "not all of $enqueued jobs are there"
    is_nothing "$(sql "select 'job ' || j.id || ' had ' || count(e.job_id) || ' effects'
                         from public.jobs j left join app.effects e on e.job_id = j.id
                        where j.kind = 'once' group by j.id having count(e.job_id) <> 1")"
    ids=$(sql "select id from public.jobs where kind = 'effect'")
    for id in $ids; do
        grep -qx "$id" "$daemon_dir/ledger" || echo "job $id had no effect"
    done
    ids=$(sql "select substr(payload #>> '{}', 8) from public.jobs where kind = 'served'")
    for id in $ids; do
        [ -s "$id" ] || echo "the job with $id had no effect"
    done
    grep overlaps "$daemon_dir/ledger"
    nothing_left || echo 'something is left in the tables of the protocol'
    wait_for 5 nobody_is_left || echo "processes are left behind: $(left_behind | xargs ps -o pid=,args= -p)"
    is_nothing "$(find "$daemon_dir/tmp" -mindepth 1 -maxdepth 1 -printf 'left behind: %f\n')"
}

is_nothing() {
    [ -z "$1" ] || echo "$1"
}

# --- one walk -----------------------------------------------------------------------------

begin_trial() {
    sql 'delete from public.jobs; delete from app.effects'
    rm -f "$daemon_dir"/served/* "$daemon_dir"/locks/*
    : >"$daemon_dir/ledger"
    : >"$daemon_out"
    enqueued=0
}

end_trial() {
    local status
    settle 20
    # What is left by a supervisor that died is the next one's to clear up.
    wait_for 20 two_workers || echo 'the workers do not come back'
    kill -TERM "$daemon_pid"
    wait_for 20 daemon_is_gone || echo 'the daemon does not end'
    wait "$daemon_pid"
    status=$?
    daemon_pid=
    [ "$status" = 0 ] || echo "the daemon ended with status $status"
    hit || echo "never reached: $(cd "$PGCREW_FAULT" && echo *)"
    broken_promises
}

# trial 'what' POINT...: all of them in one life of a daemon.
trial() {
    local what=$1 stage said
    shift
    begin_trial
    start_points || { daemon_log; bail 'the daemon did not come up'; }
    (cd "$PGCREW_FAULT" && touch -- "$@")
    for stage in "${stages[@]}"; do
        hit || eval "$stage"
    done
    end_trial >"$daemon_dir/said" 2>&1
    said=$(cat "$daemon_dir/said")
    is "$said" '' "$what"
    [ -z "$said" ] || { daemon_log; rm -f "$PGCREW_FAULT"/*; }
}

# What does not die can be tried together.
walk_points() {
    local part=$1 of=$2 n=0 name process what errors=()
    points_setup
    ways_of_programs
    while IFS=$'\t' read -r name process what; do
        [ $((n++ % of)) = "$part" ] || continue
        case $process in
            *'in a control group') skip 'no control groups with controllers here' "$name: $what" ;;
            *)
                case $name in
                    *:error) errors+=("$name") ;;
                    *) trial "killed at $name ($process; $what)" "$name" ;;
                esac
                ;;
        esac
    done < <(list_points)
    for ((n = 0; n < ${#errors[@]}; n += 4)); do
        trial "failures at ${errors[*]:n:4}" "${errors[@]:n:4}"
    done
}
