# Draining 50,000 jobs with KEPT (1000000) ended ones kept, against none.
# shellcheck shell=bash
bench_retention() {
    local none kept=${KEPT:-1000000}
    handlers "  nothing: {module: $module}"
    fresh
    start_daemon worker.count=4
    fill nothing 50000
    wait_ended
    none=$(rate)
    sample 'retention: drain, none kept' "$none" jobs/s
    fill_ended "$kept"
    fill nothing 50000
    wait_ended
    stop_daemon
    sample "retention: drain, $(with_commas "$kept") kept" "$(rate_of_last 50000)" jobs/s "$none"
    fresh
}
