# What is done while the failure points of points.sh are walked: lives of a daemon, and stages
# in which all that a daemon ever does comes about.
#
#   points_setup            the database, the handlers, what the daemon talks to
#   stages                  in this order
#   first_stage POINT       where it is passed first
#   end_life                the daemon ends, as it should
#
# Who is killed is started again, and everything that is awaited is awaited until the points
# have been passed (`hit`), or it has come about.
#
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables for and of points.sh

# --- what runs ------------------------------------------------------------------------

# At the gate it waits as long as that is there; who is deaf does not end for a TERM either.
# An effect is a line outside of the database.  The lock is held as long as anything of the
# attempt lives, so that a second one at a time is seen.
write_handler() {
    cat >"$daemon_dir/effect" <<END
exec 9>>"$daemon_dir/locks/\$PGCREW_JOB_ID"
flock -n 9 || echo "\$PGCREW_JOB_ID overlaps" >>"$daemon_dir/ledger"
read -r payload
: >left-in-its-folder
echo '50 half' >&3
case \$payload in '"deaf"') trap '' TERM ;; esac
case \$payload in '"gate"' | '"deaf"') while [ -e "$daemon_dir/gate" ]; do sleep 0.02; done ;; esac
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
    listen_as_systemd
}

# --- lives ------------------------------------------------------------------------------

no_wait="interval '0'"
retry='retry_first: 20ms, retry_max: 100ms'
# Which life there is; '': none.  And what is armed when the first one of a trial is up.
life=
armed=()
# The control group of a life that has one.
daemon_group=

ways_of_programs() {
    handlers "  effect: {exec: [/bin/sh, $daemon_dir/effect], $retry$1}
  served: {serve: [$build/tests/unit/serve_program], $retry}
  once: {sql: app.once, $retry}
  slow: {sql: app.slow, $retry}"
}

# With these a worker forks its guards in another way (src/program/lean.h).
ways_of_threads() {
    ways_of_programs ''
    handlers "$daemon_handlers
  nothing: {module: $build/tests/unit/trial_module.so, $retry}
  ok: {http: http://127.0.0.1:$(cat "$daemon_dir/port")/ok, allow_local: yes, $retry}"
}

points_options=(worker.count=2 queue.lease=2s queue.poll_interval=100ms worker.drain_timeout=300ms
    worker.kill_grace=300ms database.durability=relaxed database.health_interval=1s)

# Everything of a daemon works below its folder: what is left of it is found by that.
run_daemon() {
    : >"$daemon_dir/notified"
    (
        [ -z "$daemon_group" ] || echo "$BASHPID" >"$daemon_group/pgcrewd/cgroup.procs"
        cd "$daemon_dir/run" || exit 1
        export TMPDIR=$daemon_dir/tmp NOTIFY_SOCKET=$daemon_dir/notify WATCHDOG_USEC=400000
        exec "$build/pgcrewd" -c "$daemon_config"
    ) </dev/null >>"$daemon_out" 2>&1 {psql_in}>&- {psql_out}<&- &
    daemon_pid=$!
}

# A life of another kind ends first.
begin_life() {
    local kind=$1
    shift
    [ "$life" != "$kind" ] || return 0
    end_life
    life=$kind
    write_config "${points_options[@]}" "$@"
    run_daemon
    wait_for 20 two_workers || { daemon_log; bail 'the daemon did not come up'; }
    [ ${#armed[@]} = 0 ] || (cd "$PGCREW_FAULT" && touch -- "${armed[@]}")
    armed=()
}

plain_life() {
    ways_of_programs ''
    daemon_group=
    begin_life plain
}

# Claims much ahead, and is soon stalled.
hasty_life() {
    ways_of_threads
    daemon_group=
    begin_life hasty worker.claim_ahead=300ms queue.stall_after=300ms
}

# A limit asks for a control group.
life_in_group() {
    ways_of_programs ', processes: 1000'
    daemon_group=$points_group
    begin_life in-group
}

# Says what is wrong with how it ends.  A point may be passed only now.
end_life() {
    local status open=yes
    [ "$life" != '' ] || return 0
    hit && open=no
    kill -TERM "$daemon_pid"
    wait_for 20 daemon_is_gone || echo 'the daemon does not end'
    wait "$daemon_pid"
    status=$?
    if [ "$status" != 0 ] && [ $open = yes ] && hit; then
        run_daemon
        wait_for 20 two_workers || echo 'the daemon does not come back'
        end_life
        return
    fi
    [ "$status" = 0 ] || echo "the daemon ended with status $status"
    life=
    daemon_pid=
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
    local left=("$PGCREW_FAULT"/*)
    [ ! -e "${left[0]}" ]
}

hit_or() {
    keep_running
    hit || "$@"
}

two_workers() {
    keep_running
    [ "$(worker_pids | wc -l)" -ge 2 ] && workers_hold 2
}

# A group of version 2 that is the daemon's own, if this machine has them and we may make one.
make_group() {
    local top
    [ -z "${points_group:-}" ] || return 0
    for top in /sys/fs/cgroup /sys/fs/cgroup/unified; do
        points_group=$top/pgcrew-points.$$
        [ -e "$top/cgroup.controllers" ] && mkdir -p "$points_group/pgcrewd" 2>/dev/null || continue
        at_exit "rmdir $points_group/pgcrewd $points_group"
        python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.delegate", b"1")' "$points_group" &&
            (echo "$BASHPID" >"$points_group/pgcrewd/cgroup.procs") && return
    done 2>/dev/null
    points_group=
    return 1
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

all_ways() {
    acknowledged "('effect', '{}'::jsonb, $no_wait), ('effect', '{}', interval '150 ms'),
        ('once', '{}', $no_wait), ('once', '{}', $no_wait), $served, $served$1"
    settle
}

work() {
    plain_life
    all_ways ''
}

n_run() {
    [ "$(sql "select count(*) from public.jobs where status = 'running'")" = "$1" ]
}

# Until open_gate these run: a job, and others; N of them are awaited.
close_gate() { # N ['VALUES']
    : >"$daemon_dir/gate"
    acknowledged "('effect', '\"gate\"'::jsonb, $no_wait)${2:-}"
    wait_for 20 hit_or n_run "$1"
}

open_gate() {
    rm -f "$daemon_dir/gate"
    settle
}

sessions="from pg_stat_activity where application_name ~ '^pgcrew/testhost/([0-9]+|janitor)$'"

sessions_are_back() {
    keep_running
    [ "$(sql "select count(*) $sessions and backend_start > '$1'")" = 3 ]
}

# Sessions are lost while jobs run, and a user cancels one.
lose_sessions() {
    local lost_at
    plain_life
    close_gate 2 ", ('slow', '{}', $no_wait)"
    lost_at=$(sql 'select clock_timestamp()')
    sql "select pg_terminate_backend(pid) $sessions" >/dev/null
    wait_for 10 sessions_are_back "$lost_at"
    "$build/pgcrew" stats >/dev/null 2>&1
    sql "select pgcrew.cancel_jobs(array(select id from public.jobs where kind = 'slow'))" >/dev/null
    open_gate
}

guards() {
    local pid
    for pid in $(pgrep -f '^pgcrewd: guard [1-9]'); do
        case $(readlink "/proc/$pid/cwd") in "$daemon_dir"/*) echo "$pid" ;; esac
    done
}

lose_guard() {
    plain_life
    close_gate 1
    # shellcheck disable=SC2046
    kill -KILL $(guards) 2>/dev/null
    open_gate
}

has_workers() {
    [ "$(worker_pids | wc -l)" = "$1" ]
}

# More workers and fewer, one of which has a job.
scale() {
    plain_life
    close_gate 1
    kill -TTIN "$daemon_pid" 2>/dev/null
    wait_for 10 hit_or has_workers 3
    "$build/pgcrew" scale 1 >/dev/null 2>&1
    open_gate
    "$build/pgcrew" scale 2 >/dev/null 2>&1
    wait_for 10 two_workers
}

n_reloads() {
    n_logged 'all children work with the new configuration'
}

reloaded() {
    [ "$(n_reloads)" -gt "$1" ]
}

# Jobs of the old configuration run on.
reload() {
    local before
    plain_life
    close_gate 1
    before=$(n_reloads)
    write_config "${points_options[@]}" worker.slots=7
    kill -HUP "$daemon_pid" 2>/dev/null
    wait_for 20 hit_or reloaded "$before"
    open_gate
    hit || all_ways ''
}

# End while jobs run for longer than may be, one of them for longer than it is asked to.
stop_early() {
    plain_life
    close_gate 2 ", ('effect', '\"deaf\"', $no_wait)"
    kill -TERM "$daemon_pid" 2>/dev/null
    wait_for 20 daemon_is_gone
    open_gate
}

n_given_up() {
    n_logged 'the lease could not be renewed in time'
}

gives_up() {
    [ "$(n_given_up)" -gt "$1" ]
}

# The janitor renews no lease, while a job runs.
lose_renewals() {
    local before janitor
    plain_life
    close_gate 1
    before=$(n_given_up)
    janitor=$(janitor_pid)
    kill -STOP "$janitor" 2>/dev/null
    wait_for 10 hit_or gives_up "$before"
    kill -CONT "$janitor" 2>/dev/null
    open_gate
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
    plain_life
    stopped acknowledged "('once', '{}'::jsonb, $no_wait)"
    settle
    hit || stopped sql 'select pgcrew.reap_process(process, null) from pgcrew.workers'
    wait_for 10 hit_or workers_hold 2
}

work_of_threads() {
    hasty_life
    all_ways ", ('nothing', '{}', $no_wait), ('ok', '{}', $no_wait)"
}

n_released() {
    "$build/pgcrew" stats --json 2>/dev/null | jq -r '.daemon.released // 0'
}

releases_again() {
    [ "$(n_released)" -gt "$1" ]
}

# Jobs that were claimed behind others, and cannot start soon.
hoard() {
    local n more='' before
    work_of_threads
    before=$(n_released)
    for ((n = 0; n < 12; n++)); do more+=", ('effect', '\"gate\"', $no_wait)"; done
    close_gate 13 "$more"
    wait_for 10 hit_or releases_again "${before:-0}"
    open_gate
}

ends_to_stall() {
    [ "$(n_logged 'STALLED no more')" -gt "$1" ]
}

# For a while the database gives nothing.
stall() {
    local begun ended
    hasty_life
    begun=$(n_stalls)
    ended=$(n_logged 'STALLED no more')
    claims_nothing true
    acknowledged "('once', '{}'::jsonb, $no_wait)"
    wait_for 10 hit_or stalls_again "$begun"
    claims_again
    settle
    wait_for 10 hit_or ends_to_stall "$ended"
}

work_in_group() {
    [ -z "${points_group:-}" ] || { life_in_group; all_ways ''; }
}

# End while a worker does not hear.
stop_deaf() {
    local workers
    plain_life
    close_gate 1
    workers=$(worker_pids)
    # shellcheck disable=SC2086
    kill -STOP $workers 2>/dev/null
    kill -TERM "$daemon_pid" 2>/dev/null
    wait_for 20 daemon_is_gone
    # shellcheck disable=SC2086
    kill -CONT $workers 2>/dev/null
    open_gate
}

# The cheap ones first: the walk of a point goes as far as that is reached.
stages=(work lose_sessions lose_guard scale reload stop_early lose_renewals work_of_threads stall hoard
    lose_leases stop_deaf work_in_group)

# Where it is passed, so that the walk need not go there from stage to stage: nothing but time.
first_stage() {
    case $1 in
        listen.* | register.* | release_unknown.* | report.* | cancel.* | cancel_backend.* | health.* | survey.* | \
            reap_expired.* | control.*) echo lose_sessions ;;
        broom.* | guard.gone*) echo lose_guard ;;
        scale.*) echo scale ;;
        worker.* | janitor.* | ready.* | drain.* | unregister.* | reap.* | reaped.* | reap_process.* | death.* | \
            reload.* | systemd.reload*) echo reload ;;
        ending.kill) echo stop_deaf ;;
        stop.* | ending.* | scratch.* | board.roster | guard.told | guard.obeys | guard.kills | systemd.ready* | systemd.stops* | \
            systemd.extends*) echo stop_early ;;
        lease.*) echo lose_renewals ;;
        module.* | http.*) echo work_of_threads ;;
        stalled.* | flows.* | board.stall) echo stall ;;
        hoard.*) echo hoard ;;
        fenced.*) echo lose_leases ;;
        cell.group*) echo work_in_group ;;
        *) echo work ;;
    esac
}
