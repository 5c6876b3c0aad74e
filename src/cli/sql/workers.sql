-- workers: every lease holder of every host.
select w.name as host, w.slot, w.pid, w.version,
       case when w.seen_at + w.lease <= clock_timestamp() then 'lost'
            when w.idle then 'idle' else 'busy' end as state,
       w.queues, w.kinds, w.slots,
       (select coalesce(sum(cardinality(c.job_ids)), 0) from pgcrew.claims c
         where c.holder = w.holder)::bigint as claimed,
       (extract(epoch from clock_timestamp() - w.seen_at) * 1000)::bigint as seen_ms,
       w.started_at
  from pgcrew.workers w
 order by w.name, w.slot, w.holder
