# Walking the failure points of a build with --enable-faults (src/base/fault.h): at each,
# somebody is killed, or something fails, while jobs of every way run; then nothing may be
# lost, run twice at a time, or left behind.  points_life.sh has the daemon, points_work.sh what
# is done meanwhile.
#
#   walk_points PART OF     points PART, PART + OF, PART + 2 * OF... of the program's list
#   points_built            are there any in this build?
#
# Needs setup.sh and a migrated database.
#
# shellcheck shell=bash
# shellcheck source=tests/lib/stall.sh
. "$here/stall.sh"
# shellcheck source=tests/lib/front.sh
. "$here/front.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"
# shellcheck source=tests/lib/points_life.sh
. "$here/points_life.sh"
# shellcheck source=tests/lib/points_work.sh
. "$here/points_work.sh"

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
    [ -z "$daemon_group" ] ||
        is_nothing "$(find "$daemon_group" -mindepth 1 -type d ! -name pgcrewd -printf 'left behind: group %f\n')"
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
    : >"$daemon_dir/said"
    enqueued=0
}

end_trial() {
    settle
    # What is left by a supervisor that died is the next one's to clear up.
    wait_for 20 two_workers || echo 'the workers do not come back'
    wait_for 5 notified 'READY=1' || echo 'systemd does not know that it is ready'
    wait_for 5 is_content || echo "it is not well: $(pgcrew ping 2>&1)"
    end_life
    hit || echo "never reached: $(cd "$PGCREW_FAULT" && echo *)"
    broken_promises
}

# trial STAGE 'what' POINT...: all of them, in that stage and those after it until all are passed.
trial() {
    local what=$2 stage said
    local order=("$1" "${stages[@]}")
    shift 2
    armed=("$@")
    begin_trial
    for stage in "${order[@]}"; do
        { [ ${#armed[@]} = 0 ] && hit; } || "$stage"
    done
    end_trial >>"$daemon_dir/said" 2>&1
    said=$(cat "$daemon_dir/said")
    is "$said" '' "$what"
    [ -z "$said" ] || { daemon_log; rm -f "$PGCREW_FAULT"/*; }
}

# What does not die can be tried together.
walk_points() {
    local part=$1 of=$2 n=0 name process what stage points
    local -A errors=()
    points_setup
    while IFS=$'\t' read -r name process what; do
        [ $((n++ % of)) = "$part" ] || continue
        stage=$(first_stage "$name")
        case $process/$name in
            *'in a control group'/*)
                if make_group; then
                    trial "$stage" "at $name ($process; $what)" "$name"
                else
                    skip 'this machine gives us no control group of version 2' "$name: $what"
                fi
                ;;
            *:error) errors[$stage]+=" $name" ;;
            *) trial "$stage" "killed at $name ($process; $what)" "$name" ;;
        esac
    done < <(list_points)
    for stage in "${!errors[@]}"; do
        read -ra points <<<"${errors[$stage]}"
        for ((n = 0; n < ${#points[@]}; n += 4)); do
            trial "$stage" "failures at ${points[*]:n:4}" "${points[@]:n:4}"
        done
    done
}
