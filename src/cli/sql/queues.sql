-- queues: what waits, per queue, counted up to a limit; oldest_ms: how long the one has
-- waited that has waited longest, among the next of each priority; null: none waits;
-- paused_at, paused_by: since when and by whom it is paused; null: it is not.
-- $1 bigint  count at most so many rows of a queue
with waiting as (
  select q.queue, q.paused_at, q.paused_by,
         (select count(*) from (select from pgcrew.ready r
                                 where r.place >= pgcrew.place(q.number, 9, 0)
                                   and r.place < pgcrew.place(q.number + 1, 9, 0) limit $1::bigint) x) as jobs,
         (select min(j.run_at)
            from generate_series(0, 9) p (priority),
                 lateral (select r.job_id from pgcrew.ready r
                           where r.place >= pgcrew.place(q.number, p.priority, 0)
                             and r.place < pgcrew.place(q.number, p.priority - 1, 0)
                           order by r.place limit 1) r
                 join public.jobs j on j.id = r.job_id) as since
    from pgcrew.queues q),
later as (
  select s.queue, count(*) as jobs
    from (select s.queue from pgcrew.scheduled s limit $1::bigint) s group by s.queue),
served as (
  select distinct q as queue from pgcrew.workers w, unnest(w.queues) q
   where w.seen_at + w.lease > clock_timestamp()),
names as (
  select queue from waiting where jobs > 0 or paused_at is not null
  union select queue from later
  union select queue from served)
select n.queue,
       coalesce(r.jobs, 0) as ready,
       coalesce(l.jobs, 0) as scheduled,
       (select count(*) from pgcrew.workers w
         where n.queue = any (w.queues) and w.seen_at + w.lease > clock_timestamp()) as workers,
       case when r.since is not null
            then (greatest(0, extract(epoch from clock_timestamp() - r.since)) * 1000)::bigint end as oldest_ms,
       r.paused_at, r.paused_by
  from names n left join waiting r on r.queue = n.queue left join later l on l.queue = n.queue
 order by n.queue
