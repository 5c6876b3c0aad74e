# What a claim of 100 costs when 10,000 jobs wait, and when BACKLOG (1000000) do.
# shellcheck shell=bash
bench_backlog() {
    local few many=${BACKLOG:-1000000}
    few=$(claim_us 10000)
    sample 'backlog: claim of 100, 10,000 wait' "$few" us
    sample "backlog: claim of 100, $(with_commas "$many") wait" "$(claim_us "$many")" us "$few"
    fresh
}

# The median of 60 claims, each in its own transaction, from where the last one ended.
claim_us() {
    fresh
    fill_waiting "$1"
    sql "select pgcrew.register_worker(gen_random_uuid(), 'bench', 1, 1, 'bench', '{default}', null, 1, 60000)" >/dev/null
    psql -XAtq -v ON_ERROR_STOP=1 <<END | round 1
         do \$\$
         declare
             v_holder bigint := (select max(holder) from pgcrew.workers where name = 'bench');
             v_queue  int := (select number from pgcrew.queues where queue = 'default');
             v_from   bigint := 0;
             v_top    bigint;
             v_start  timestamptz;
         begin
             create temp table took (us float8);
             for v_try in 1 .. 60 loop
                 v_start := clock_timestamp();
                 select max(job_id) into v_top
                   from pgcrew.claim(v_holder, array[pgcrew.place(v_queue, 0, v_from)], array[pgcrew.place(v_queue + 1, 9, 0)], null, 100);
                 insert into took values (extract(epoch from clock_timestamp() - v_start) * 1000000);
                 v_from := v_top + 1;
                 commit;
             end loop;
         end \$\$;
         select percentile_cont(0.5) within group (order by us) from took;
END
    sql "delete from pgcrew.workers where name = 'bench'"
}
