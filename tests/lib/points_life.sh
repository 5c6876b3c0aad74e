# The daemon that points_work.sh puts to work, on points.sh.
#
#   points_setup            the database, the handlers, what the daemon talks to
#   plain_life, hasty_life, serving_life, life_in_group
#                           there is a daemon of that kind; the first of a trial has its points armed
#   end_life                it ends; says what is wrong with how
#   make_group              can there be a life in a group?
#   keep_running            who was killed is started again
#   two_workers             do two work?
#   hit                     have all armed points been passed?
#   hit_or COMMAND...       or is it true?
#   left_behind             what lives below its folder
#
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables for and of the others

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
    mapfile -t points_serving < <(gateway_options "$daemon_dir/gateway.sock")
    points_token=$(mint "$user")
    operator_token=the-token-of-an-operator-that-is-long-enough
    echo "$operator_token" >"$daemon_dir/token"
    chmod 600 "$daemon_dir/token"
    points_serving+=("dashboard.listen=$daemon_dir/dashboard.sock" "dashboard.token_file=$daemon_dir/token")
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

# Users ask for what it has.
serving_life() {
    ways_of_programs ''
    daemon_group=
    begin_life serving "${points_serving[@]}"
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
