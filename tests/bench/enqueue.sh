# Enqueueing over one connection, against the same into two bare tables.
# shellcheck shell=bash
bench_enqueue() {
    local limit
    fresh
    limit=$(loop repeat 3000 "with j as (insert into bench.job (kind, payload) values ('nothing', '{}') returning id)
                              insert into bench.waits select id from j")
    sample 'enqueue: limit, one row a call' "$limit" rows/s
    sample 'enqueue: one row a call' "$(loop repeat 3000 "insert into public.jobs (kind) values ('nothing')")" jobs/s "$limit"

    limit=$(loop repeat 100 "with j as (insert into bench.job (kind, payload) select 'nothing', '{}' from generate_series(1, 1000)
                                        returning id) insert into bench.waits select id from j" | thousand)
    sample 'enqueue: limit, 1,000 rows a call' "$limit" rows/s
    sample 'enqueue: 1,000 rows a call' "$(loop repeat 100 "insert into public.jobs (kind)
        select 'nothing' from generate_series(1, 1000)" | thousand)" jobs/s "$limit"

    sql 'truncate bench.job, bench.waits'
    fresh
    yes 'nothing' | head -n 1000000 >"$pg_dir/kinds"
    limit=$(copy_s "alter table bench.job alter payload set default '{}'" 'bench.job (kind)' \
        'insert into bench.waits select id from bench.job')
    sample 'enqueue: limit, COPY of 1,000,000' "$limit" s
    sample 'enqueue: COPY of 1,000,000' "$(copy_s 'select' 'public.jobs (kind)' 'select')" s "$limit"
    fresh
}

thousand() {
    awk '{ printf "%.1f\n", $1 * 1000 }'
}

# copy_s BEFORE TABLE AFTER: seconds of one transaction
copy_s() {
    local start end
    sql "$1" >/dev/null
    sql 'checkpoint'
    start=$(date +%s%N)
    psql -Xq -v ON_ERROR_STOP=1 -1 -c "\\copy $2 from '$pg_dir/kinds'" -c "$3" >/dev/null
    end=$(date +%s%N)
    echo "$start $end" | awk '{ printf "%.3f\n", ($2 - $1) / 1e9 }'
}
