# Jobs that do nothing, 100,000 waiting, 4 workers; and the same with one job a claim.
# shellcheck shell=bash
bench_drain() {
    local limit
    bare 100000
    limit=$(loop take 500 4)
    sample 'drain: limit, delete 500 a commit' "$limit" rows/s
    handlers "  nothing: {module: $module}"
    fresh
    start_daemon worker.count=4
    fill nothing 100000
    wait_ended
    stop_daemon
    sample 'drain: no-op module jobs' "$(rate)" jobs/s "$limit"
}
