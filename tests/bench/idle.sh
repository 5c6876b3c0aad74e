# A host with nothing to do: what it asks the database, takes of a processor, keeps in memory.
# shellcheck shell=bash
bench_idle() {
    local asked asking cpu woken pid
    handlers "  nothing: {module: $module}"
    fresh
    # What the server does for itself is not ours.
    sql 'select pg_reload_conf()' -c 'alter system set autovacuum = off' >/dev/null
    start_daemon worker.count=4
    fill nothing 100
    wait_ended
    # Until then sessions keep for themselves what they have counted.
    read -rt 12 <> <(:)
    asked=$(transactions)
    asking=$(($(transactions) - asked))
    asked=$((asked + asking))
    cpu=$(daemon_cpu_us)
    woken=$(worker_turns)
    read -rt 20 <> <(:)
    woken=$(($(worker_turns) - woken))
    cpu=$(($(daemon_cpu_us) - cpu))
    asked=$(($(transactions) - asked - asking))
    sql 'select pg_reload_conf()' -c 'alter system reset autovacuum' >/dev/null
    sample 'idle: transactions of 4 workers and janitor' "$(per "$asked" 20 2)" 1/s
    sample 'idle: wake-ups of a worker' "$(per "$woken" $((4 * 20)) 2)" 1/s
    sample 'idle: processor time of the daemon' "$(per "$cpu" $((20 * 10000)) 3)" %
    sample 'idle: supervisor, PSS' "$(pss_kib "$daemon_pid")" KiB
    for pid in $(worker_pids); do pss_kib "$pid"; done >"$pg_dir/pss"
    sample 'idle: worker, PSS' "$(percentile 50 <"$pg_dir/pss")" KiB
    sample 'idle: janitor, PSS' "$(pss_kib "$(janitor_pid)")" KiB
    stop_daemon
}

transactions() {
    sql 'select pg_stat_force_next_flush()' >/dev/null
    sql 'select xact_commit + xact_rollback from pg_stat_database where datname = current_database()'
}

daemon_cpu_us() {
    for pid in $daemon_pid $(processes_below "$daemon_pid"); do
        cat "/proc/$pid/schedstat"
    done | awk '{ ns += $1 } END { printf "%d\n", ns / 1000 }'
}

worker_turns() {
    for pid in $(worker_pids); do
        cat "/proc/$pid/status"
    done | awk '/^voluntary_ctxt_switches/ { turns += $2 } END { print turns }'
}

pss_kib() {
    awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"
}
