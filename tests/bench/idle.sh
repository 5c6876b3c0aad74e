# A host with nothing to do: what it asks the database, takes of a processor, keeps in memory.
# shellcheck shell=bash
bench_idle() {
    local asked cpu pid
    handlers "  nothing: {module: $module}"
    fresh
    start_daemon worker.count=4
    fill nothing 100
    wait_ended
    read -rt 3 <> <(:)
    asked=$(transactions)
    cpu=$(daemon_ticks)
    read -rt 20 <> <(:)
    # Our own two asked as well.
    sample 'idle: transactions of 4 workers and janitor' "$(per $(($(transactions) - asked - 2)) 20 2)" 1/s
    sample 'idle: processor time of the daemon' "$(per $((($(daemon_ticks) - cpu) * 100)) "$((20 * $(getconf CLK_TCK)))" 3)" %
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

daemon_ticks() {
    for pid in $daemon_pid $(processes_below "$daemon_pid"); do
        cat "/proc/$pid/stat"
    done | sed 's/^.*) //' | awk '{ ticks += $12 + $13 } END { print ticks }'
}

pss_kib() {
    awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"
}
