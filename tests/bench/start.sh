# From the start of the daemon until its 4 workers are registered; the same after a reload
# that replaces them.  By the clock of the database: this is the same machine.
# shellcheck shell=bash
bench_start() {
    local start
    handlers "  nothing: {module: $module}"
    fresh
    start=$(date +%s.%N)
    start_daemon worker.count=4
    sample 'start: daemon to 4 workers ready' "$(ready_ms "$start")" ms
    sed -i 's/^worker.count.*/&\nworker.claim_max: 400/' "$daemon_config"
    start=$(date +%s.%N)
    kill -HUP "$daemon_pid"
    wait_for 20 are_since "$start" 4 || bail 'the workers were not replaced'
    sample 'start: reload to 4 new workers ready' "$(ready_ms "$start")" ms
    stop_daemon
}

are_since() {
    [ "$(sql "select count(*) from pgcrew.workers where started_at > to_timestamp($1)")" -ge "$2" ]
}

ready_ms() {
    sql "select (extract(epoch from max(started_at)) - $1) * 1000 from pgcrew.workers" | round 1
}
