-- queues: what waits, per queue, counted up to a limit.
-- $1 bigint  count at most so many rows of a queue
-- The first part walks from name to name through the index instead of reading all rows.
with recursive walk as (
  (select r.queue from pgcrew.ready r order by r.queue limit 1)
  union all
  select (select r.queue from pgcrew.ready r where r.queue > walk.queue order by r.queue limit 1)
    from walk where walk.queue is not null),
later as (
  select s.queue, count(*) as jobs
    from (select s.queue from pgcrew.scheduled s limit $1::bigint) s group by s.queue),
served as (
  select distinct q as queue from pgcrew.workers w, unnest(w.queues) q
   where w.seen_at + w.lease > clock_timestamp()),
names as (
  select queue from walk where queue is not null
  union select queue from later
  union select queue from served)
select n.queue,
       (select count(*) from (select from pgcrew.ready r where r.queue = n.queue limit $1::bigint) x) as ready,
       coalesce(l.jobs, 0) as scheduled,
       (select count(*) from pgcrew.workers w
         where n.queue = any (w.queues) and w.seen_at + w.lease > clock_timestamp()) as workers
  from names n left join later l on l.queue = n.queue
 order by n.queue
