# What polling a batch costs: batch_status as a signed-in user calls it, counters only, and
# with the 100 jobs it lists by default.
# shellcheck shell=bash
bench_batch() {
    local user=11111111-1111-1111-1111-111111111111 limit
    local large=99999999-9999-9999-9999-999999999991 small=99999999-9999-9999-9999-999999999992
    fresh
    fill_batch "$large" 100000
    fill_batch "$small" 100
    sql 'vacuum analyze public.jobs'
    sql 'checkpoint'
    limit=$(polls 50000 'select 1')
    sample 'batch: limit, 4 clients asking for nothing' "$limit" 1/s
    sample 'batch: batch of 100,000, counters' "$(poll_ms 20 "$large" 0)" ms
    sample 'batch: batch of 100,000, and 100 jobs' "$(poll_ms 20 "$large")" ms
    sample 'batch: batch of 100, counters, 4 clients' "$(polls 20000 "$(poll "$small" 0)")" polls/s "$limit"
    sample 'batch: batch of 100, and its jobs, 4 clients' "$(polls 4000 "$(poll "$small")")" polls/s "$limit"
}

# Half of it has ended.
fill_batch() {
    sql "insert into public.jobs (kind, batch_id, user_id, status, started_at, finished_at)
         select 'nothing', '$1', '$user', case when t is null then 'queued' else 'succeeded' end, t, t
           from generate_series(1, $2) i, lateral (select case when i % 2 = 0 then now() end) e (t)"
}

# poll BATCH [JOB_LIMIT]
poll() {
    echo "select public.batch_status('$1'${2:+, $2})"
}

as_user() {
    PGOPTIONS="-c role=authenticated -c request.jwt.claims={\"sub\":\"$user\",\"role\":\"authenticated\"}" "$@"
}

polls() {
    as_user loop repeat "$1" "$2" 4
}

poll_ms() {
    local count=$1
    shift
    as_user loop repeat "$count" "$(poll "$@")" | awk '{ printf "%.3f\n", 1000 / $1 }'
}
