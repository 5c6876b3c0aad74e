# What the sections of tests/bench/run share.  Each section is a file that defines
# bench_NAME: one try of all its figures.
#
#   sample NAME VALUE UNIT [LIMIT]   one try of a figure; LIMIT is what is possible at best
#   loop MODE...                     the bare loops of loop.c
#   bare N                           N rows in the tables that they work on
#   fresh                            no jobs, nothing to clean up
#   fill KIND N [PAYLOAD]            N jobs
#   fill_ended N, fill_waiting N     millions of them, quickly
#   wait_ended                       until no job waits or runs
#   rate, rate_of_last N             jobs/s from the first start to the last end; of the N newest
#   cpu_ms, wal_bytes                so far: processor time of the server and the daemon; WAL
#
# shellcheck shell=bash

module=$build/tests/unit/trial_module.so

sample() {
    [ -n "$2" ] || bail "$1: no figure"
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}" >>"$samples"
    printf '# %-46s %12s %s\n' "$1" "$2" "$3" >&2
}

loop() {
    "$build/tests/bench/loop" "$@"
}

bare() {
    sql 'truncate bench.bare, bench.marked'
    sql "insert into bench.bare (payload) select '{}' from generate_series(1, $1);
         insert into bench.marked (payload) select '{}' from generate_series(1, $1)"
    sql 'checkpoint'
}

fresh() {
    sql 'truncate public.jobs'
    sql 'vacuum pgcrew.ready, pgcrew.claims, pgcrew.workers'
    sql 'checkpoint'
}

fill() {
    sql "insert into public.jobs (kind, payload) select '$1', '${3:-{\}}' from generate_series(1, $2)"
}

# Without the trigger, which holds all rows of a statement in memory or in a file; in the
# state that a vacuum leaves, which otherwise would come at a time of its own choice.
fill_waiting() {
    sql "set session_replication_role = replica;
         with j as (insert into public.jobs (kind) select 'nothing' from generate_series(1, $1) returning id)
         insert into pgcrew.ready (place, job_id, queue, kind)
         select pgcrew.place((select pgcrew.queue_number('default')), 0, id), id, 'default', 'nothing' from j" ||
        bail 'cannot fill'
    sql 'vacuum analyze public.jobs, pgcrew.ready'
    sql 'checkpoint'
}

fill_ended() {
    sql "set session_replication_role = replica;
         insert into public.jobs (kind, status, created_at, started_at, finished_at)
         select 'nothing', 'succeeded', t, t, t from generate_series(1, $1), (select now() - interval '1 day') x (t)"
    sql 'vacuum analyze public.jobs'
    sql 'checkpoint'
}

# 1,000,000 as 1000000
with_commas() {
    sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta' <<<"$1"
}

# In one session: starting psql again and again would take from what is measured.
wait_ended() {
    sql "do \$\$ begin
             while exists (select from pgcrew.claims) or exists (select from pgcrew.ready) loop
                 perform pg_sleep(0.1);
                 commit;
             end loop;
         end \$\$"
    [ "$(sql "select count(*) from public.jobs where status <> 'succeeded'")" = 0 ] || bail 'not all jobs succeeded'
}

rate() {
    sql 'select count(*) / extract(epoch from max(finished_at) - min(started_at)) from public.jobs' | round 1
}

rate_of_last() {
    sql "select count(*) / extract(epoch from max(finished_at) - min(started_at))
           from (select * from public.jobs order by created_at desc limit $1) j" | round 1
}

round() {
    awk -v digits="$1" '{ printf "%.*f\n", digits, $1 }'
}

# per WHAT JOBS [digits]
per() {
    echo "$1 $2" | awk -v digits="${3:-1}" '{ printf "%.*f\n", digits, $1 / $2 }'
}

# Of the processes and of those they have waited for, so that sessions that ended count.
cpu_ms() {
    local postmaster
    postmaster=$(head -n 1 "$pg_dir/data/postmaster.pid")
    for pid in $postmaster $(processes_below "$postmaster") ${daemon_pid:+$daemon_pid $(processes_below "$daemon_pid")}; do
        cat "/proc/$pid/stat" 2>/dev/null
    done | sed 's/^.*) //' | awk -v hz="$(getconf CLK_TCK)" '{ ticks += $12 + $13 + $14 + $15 } END { printf "%d\n", ticks * 1000 / hz }'
}

wal_bytes() {
    sql "select pg_current_wal_insert_lsn() - '0/0'"
}

# Figures of stdin: the one below which p of a hundred are.
percentile() {
    sort -n | awk -v p="$1" '{ v[NR] = $1 } END { i = int(NR * p / 100 + 0.999999); print v[i < 1 ? 1 : i] }'
}
