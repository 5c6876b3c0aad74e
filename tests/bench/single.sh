# One job a claim: what no batching can help.
# shellcheck shell=bash
bench_single() {
    local limit
    bare 10000
    limit=$(loop claim 1 4)
    sample 'single: limit, claim, commit, delete, commit' "$limit" rows/s
    handlers "  nothing: {module: $module}"
    fresh
    start_daemon worker.count=4 worker.claim_max=1
    fill nothing 10000
    wait_ended
    stop_daemon
    sample 'single: no-op module jobs, one a claim' "$(rate)" jobs/s "$limit"
}
