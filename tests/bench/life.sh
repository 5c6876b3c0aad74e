# Whole life at once: one client enqueues by 1,000, 4 workers run what comes.
# shellcheck shell=bash
bench_life() {
    local limit cpu wal
    bare 0
    limit=$(loop life 100000 1000 500 4)
    sample 'life: limit, insert 1000, delete 500 a commit' "$limit" rows/s
    handlers "  nothing: {module: $module}"
    fresh
    start_daemon worker.count=4
    cpu=$(cpu_ms)
    wal=$(wal_bytes)
    loop repeat 100 "insert into public.jobs (kind) select 'nothing' from generate_series(1, 1000)" >/dev/null
    wait_ended
    wal=$(($(wal_bytes) - wal))
    cpu=$(($(cpu_ms) - cpu))
    stop_daemon
    sample 'life: no-op module jobs' \
        "$(sql 'select count(*) / extract(epoch from max(finished_at) - min(created_at)) from public.jobs' | round 1)" jobs/s "$limit"
    sample 'life: WAL' "$(per "$wal" 100000)" bytes/job
    sample 'life: processor time, server and daemon' "$(per "$cpu" 100 2)" us/job
}
