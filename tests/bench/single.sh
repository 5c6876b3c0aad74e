# One job a claim: what no batching can help.  The disk can: durability relaxed does not wait for it.
# shellcheck shell=bash
bench_single() {
    local limit
    bare 10000
    limit=$(loop claim 1 4)
    sample 'single: limit, claim, commit, delete, commit' "$limit" rows/s
    handlers "  nothing: {module: $module}"
    sample 'single: no-op module jobs, one a claim' "$(rate_of_singles)" jobs/s "$limit"
    sample 'single: the same, durability relaxed' "$(rate_of_singles database.durability=relaxed)" jobs/s
}

rate_of_singles() {
    fresh
    start_daemon worker.count=4 worker.claim_max=1 "$@" >&2
    fill nothing 10000
    wait_ended
    stop_daemon >&2
    rate
}
