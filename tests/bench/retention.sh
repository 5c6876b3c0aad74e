# Draining 50,000 jobs with a million ended ones kept, against none.
# shellcheck shell=bash
bench_retention() {
    local none
    handlers "  nothing: {module: $module}"
    fresh
    start_daemon worker.count=4
    fill nothing 50000
    wait_ended
    none=$(rate)
    sample 'retention: drain, none kept' "$none" jobs/s
    sql "insert into public.jobs (kind, status, created_at, started_at, finished_at)
         select 'nothing', 'succeeded', t, t, t from generate_series(1, 1000000), (select now() - interval '1 day') x (t)"
    sql 'vacuum analyze public.jobs'
    sql 'checkpoint'
    fill nothing 50000
    wait_ended
    stop_daemon
    sample 'retention: drain, 1,000,000 kept' "$(rate_of_last 50000)" jobs/s "$none"
    fresh
}
