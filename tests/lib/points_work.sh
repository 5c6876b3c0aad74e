# What is done while the failure points of points.sh are walked: stages in which all that a
# daemon ever does comes about.
#
#   stages                  in this order
#   first_stage POINT       where it is passed first
#   settle                  all jobs have ended
#
# Everything is awaited until it has come about, or the points have been passed (`hit`).
#
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables for and of the others

# --- the work ---------------------------------------------------------------------------

settled() {
    keep_running
    all_ended
}

settle() {
    wait_for 20 settled || echo 'the jobs do not end' >>"$daemon_dir/said"
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

# The next one gives back what its workers held.
lose_supervisor() {
    plain_life
    close_gate 1
    kill -KILL "$daemon_pid" 2>/dev/null
    wait_for 20 daemon_is_gone
    wait_for 20 hit_or two_workers
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

# It ends as it should, if no fault ends it.
await_end() {
    local status
    wait_for 20 daemon_is_gone || echo 'the daemon does not end' >>"$daemon_dir/said"
    wait "$daemon_pid" 2>/dev/null
    status=$?
    [ $status = 0 ] || { [ $status = 137 ] && hit; } || echo "the daemon ended with status $status" >>"$daemon_dir/said"
}

# End while jobs run for longer than may be, one of them for longer than it is asked to.
stop_early() {
    plain_life
    close_gate 2 ", ('effect', '\"deaf\"', $no_wait)"
    kill -TERM "$daemon_pid" 2>/dev/null
    await_end
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

# By the database, for a user and for an operator.
both_answer() {
    [ "$(status_of "$daemon_dir/gateway.sock:/api/batch_status?batch_id=22222222-2222-4222-8222-222222222222" \
        -H "Authorization: Bearer $points_token" 2>/dev/null)" = 404 ] &&
        [ "$(status_of "$daemon_dir/dashboard.sock:/dashboard/api/jobs" \
            -H "Authorization: Bearer $operator_token" 2>/dev/null)" = 200 ]
}

both_answer_again() {
    keep_running
    both_answer
}

# Who serves is killed, and asked again, while jobs run.
serve_users() {
    local role
    serving_life
    close_gate 1
    wait_for 20 hit_or both_answer
    for role in gateway dashboard; do
        # shellcheck disable=SC2046
        kill -KILL $(front_pid $role) 2>/dev/null
    done
    wait_for 20 both_answer_again || echo 'a user or an operator is not served' >>"$daemon_dir/said"
    open_gate
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
    await_end
    # shellcheck disable=SC2086
    kill -CONT $workers 2>/dev/null
    open_gate
}

# The cheap ones first: the walk of a point goes as far as that is reached.
stages=(work lose_sessions lose_guard lose_supervisor scale reload stop_early lose_renewals work_of_threads stall hoard
    lose_leases serve_users stop_deaf work_in_group)

# Where it is passed, so that the walk need not go there from stage to stage: nothing but time.
first_stage() {
    case $1 in
        listen.* | register.* | release_unknown.* | report.* | cancel.* | cancel_backend.* | health.* | survey.* | \
            reap_expired.* | control.*) echo lose_sessions ;;
        broom.* | guard.gone*) echo lose_guard ;;
        legacy.*) echo lose_supervisor ;;
        scale.*) echo scale ;;
        worker.* | janitor.* | ready.* | drain.* | unregister.* | reap.* | reaped.* | kin.removed | reap_process.* | death.* | \
            reload.* | systemd.reload*) echo reload ;;
        ending.kill | systemd.extends*) echo stop_deaf ;;
        stop.* | ending.* | scratch.* | board.roster | guard.told | guard.obeys | guard.kills | systemd.ready* | systemd.stops*)
            echo stop_early
            ;;
        lease.* | systemd.status*) echo lose_renewals ;;
        module.* | http.*) echo work_of_threads ;;
        stalled.* | flows.* | board.stall) echo stall ;;
        hoard.*) echo hoard ;;
        gateway.* | dashboard.* | user.* | desk.*) echo serve_users ;;
        fenced.*) echo lose_leases ;;
        cell.group*) echo work_in_group ;;
        *) echo work ;;
    esac
}
