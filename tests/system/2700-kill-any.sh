#!/usr/bin/env bash
# 300 files, and kill -9 of any process of the tree all the while: every file is
# processed, no job is stuck, the batch's counts are exact.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

# The effect of a job is a line outside of the database.
handlers "  count: {exec: [/bin/sh, -c, 'sleep 0.05; echo \$PGCREW_JOB_ID >> $daemon_dir/ledger'], retry_first: 50ms, retry_max: 200ms}"
options=(worker.count=3 queue.lease=2s queue.poll_interval=500ms)
start_daemon "${options[@]}"

user=11111111-1111-4111-8111-111111111111
batch=$(sql 'select gen_random_uuid()')
sql "insert into public.jobs (kind, batch_id, user_id, payload, max_attempts)
     select 'count', '$batch', '$user', jsonb_build_object('file', i), 100 from generate_series(1, 300) i"

# Victims by role in turn, so that each role is hit, at moments that differ from run to run.
victim() {
    local worker
    worker=$(worker_pids | shuf -n 1)
    case $(($1 % 5)) in
        0) echo "$worker" ;;
        1) [ -z "$worker" ] || pgrep -P "$worker" | head -n 1 ;;
        2) [ -z "$worker" ] || processes_below "$worker" | tail -n 1 ;;
        3) janitor_pid ;;
        4) echo "$daemon_pid" ;;
    esac
}

kills=0
end=$((SECONDS + 60))
until all_ended || [ $SECONDS -ge $end ]; do
    pid=$(victim $kills)
    if [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; then
        if [ "$pid" = "$daemon_pid" ]; then
            wait "$daemon_pid" 2>/dev/null
            run_daemon
        fi
    fi
    kills=$((kills + 1))
    read -rt "0.$((RANDOM % 4 + 1))" <> <(:)
    [ $kills -lt 40 ] || break
done
ok 'every job ends'                                        wait_for 60 all_ended
echo "# $kills kills"
is "$(sql "select string_agg(distinct status, ',') from public.jobs")" succeeded 'all succeeded'
is "$(sort -u "$daemon_dir/ledger" | wc -l)" 300          'every job had its effect'
status=$(psql -XAtq -c "select set_config('request.jwt.claims', '{\"sub\": \"$user\"}', false) is null" \
    -c 'set role authenticated' \
    -c "select s ->> 'total', s ->> 'succeeded', s ->> 'status', s ->> 'percent' from public.batch_status('$batch') s" | tail -n 1)
is "$status" '300|300|succeeded|100.0'                    'batch_status is exact'
ok 'nothing is left in the tables of the protocol'         wait_for 10 nothing_left
stop_daemon
strays() { pgrep -f "$daemon_dir" >/dev/null; }
not_ok 'no process is left behind'                         strays
done_testing
