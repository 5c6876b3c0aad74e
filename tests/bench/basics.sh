#!/usr/bin/env bash
# Figures of the daemon at rest and after a kill, each the median of several tries:
#   PGCREW_BUILD=DIR tests/bench/basics.sh [tries]
# One line a figure: name, value, unit, lowest and highest.
. "$(dirname "$0")/../lib/setup.sh"
tries=${1:-15}
pg_start && migrate || bail 'no database'
daemon_setup
handlers "  slow: {exec: [/bin/sleep, '60']}
  quick: {exec: [/bin/true]}"

figure() {
    sort -n | awk -v name="$1" -v unit="$2" '
        { v[NR] = $1 }
        END { printf "%-44s %10.1f %-10s (%.1f to %.1f, %d tries)\n", name, v[int((NR + 1) / 2)], unit, v[1], v[NR], NR }'
}

# From the signal to the moment the job is in pgcrew.ready again, by the one clock of this machine.
kill_to_claimable() {
    local id t0 t1 pid
    for _ in $(seq "$tries"); do
        id=$(enqueue slow)
        wait_for 20 is_claimed "$id" || return
        pid=$(worker_pid_of "$id")
        t0=$(date +%s%N)
        kill -9 "$pid"
        wait_for 20 worker_died "$id" || return
        t1=$(sql "select (extract(epoch from finished_at) * 1e9)::bigint from pgcrew.attempts where job_id = $id")
        echo "$t0 $t1" | awk '{ printf "%.3f\n", ($2 - $1) / 1e6 }'
        sql "select pgcrew.cancel_jobs(array[$id])" >/dev/null
        wait_for 20 job_is "$id" cancelled
        # Ten healthy seconds forgive a death; without them the next start waits longer, not the reaping.
    done
}
worker_died() { [ "$(sql "select count(*) from pgcrew.attempts where job_id = $1 and cause = 'worker_died'")" = 1 ]; }

pss_kib() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }

transactions() {
    sql "select pg_stat_force_next_flush()" >/dev/null
    sql "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()"
}

# Statements of the daemon in a time of rest, without our own.
idle_queries() {
    local before after
    for _ in 1 2 3; do
        before=$(transactions)
        read -rt 20 <> <(:)
        after=$(transactions)
        echo "$before $after" | awk '{ printf "%.3f\n", ($2 - $1 - 2) / 20 }'
    done
}

start_to_done() {
    local id
    for _ in $(seq "$tries"); do
        id=$(enqueue quick)
        wait_for 10 job_is "$id" succeeded
        sql "select extract(epoch from started_at - created_at) * 1000 from public.jobs where id = $id"
    done
}

start_daemon worker.count=4
read -rt 5 <> <(:)
pss_kib "$daemon_pid" | figure 'supervisor, PSS' KiB
for pid in $(worker_pids); do pss_kib "$pid"; done | figure 'idle worker, PSS' KiB
pss_kib "$(janitor_pid)" | figure 'janitor, PSS' KiB
idle_queries | figure 'idle host of 4 workers, transactions' '1/s'
start_to_done | figure 'enqueued to started (NOTIFY), exec' ms
kill_to_claimable | figure 'worker killed to its job claimable' ms
stop_daemon
