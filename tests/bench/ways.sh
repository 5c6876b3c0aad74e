# What each way to run a job costs: jobs that do nothing, worked off with 4 workers.
# shellcheck shell=bash
declare -A ways_jobs=([exec]=2000 [serve]=50000 [module]=100000 [sql]=10000 [http]=10000)

ways_prepare() {
    [ -z "${ways_port:-}" ] || return 0
    sql "create schema app; grant usage on schema app to pgcrew_worker;
         create function app.nothing(jsonb) returns void language sql as ''"
    "$build/tests/unit/http_server" --port-file "$daemon_dir/port" &
    at_exit "kill $!"
    wait_for 10 test -s "$daemon_dir/port" || bail 'no HTTP server'
    ways_port=$(cat "$daemon_dir/port")
}

bench_ways() {
    local way cpu
    ways_prepare
    handlers "  exec: {exec: [/bin/true]}
  serve: {serve: [$build/tests/unit/serve_program, echo], in_flight: 16, slots: 16}
  module: {module: $module, function: nothing}
  sql: {sql: app.nothing}
  http: {http: 'http://127.0.0.1:$ways_port/ok', allow_local: yes, slots: 50}"
    for way in exec serve module sql http; do
        fresh
        start_daemon worker.count=4
        cpu=$(cpu_ms)
        fill "$way" "${ways_jobs[$way]}"
        wait_ended
        cpu=$(($(cpu_ms) - cpu))
        stop_daemon
        sample "ways: $way" "$(rate)" jobs/s
        sample "ways: $way, processor time with enqueueing" "$(per $((cpu * 1000)) "${ways_jobs[$way]}")" us/job
    done
}
