# From the call that enqueues to the start of the handler, 4 idle workers, 50 jobs a second.
# shellcheck shell=bash
bench_latency() {
    local p
    loop listen 250 20 >"$pg_dir/listened"
    loop listen 250 20 row >"$pg_dir/inserted"
    handlers "  age: {module: $module}"
    stamped >"$pg_dir/started"
    stamped database.durability=relaxed >"$pg_dir/relaxed"
    for p in 50 95 99; do
        sample "latency: limit, NOTIFY to listener, p$p" "$(percentile $p <"$pg_dir/listened" | round 3)" ms
        sample "latency: insert and NOTIFY to listener, p$p" "$(percentile $p <"$pg_dir/inserted" | round 3)" ms
        sample "latency: enqueue to start, p$p" "$(percentile $p <"$pg_dir/started" | round 3)" ms \
            "$(percentile $p <"$pg_dir/listened")"
        sample "latency: the same, durability relaxed, p$p" "$(percentile $p <"$pg_dir/relaxed" | round 3)" ms \
            "$(percentile $p <"$pg_dir/listened")"
    done
}

stamped() {
    fresh
    start_daemon worker.count=4 "$@" >&2
    loop stamp 250 20 age
    wait_ended
    stop_daemon >&2
    sql 'select (result #>> array[]::text[])::numeric / 1000 from public.jobs'
}
