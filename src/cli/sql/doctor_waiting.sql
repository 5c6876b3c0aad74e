-- doctor_waiting: jobs at the heads of the queues that no live worker takes, jobs overdue, and
-- jobs that wait in a queue paused for more than a day; schedules that are overdue or put no jobs in.
-- One row a fault: what, queue (of a schedule: name), kind (error), jobs, and since when and by whom the queue is paused.
with names as (
  select array_agg(q.queue) as all_queues from pgcrew.queues q
   where exists (select from pgcrew.ready r
                  where r.place >= pgcrew.place(q.number, 9, 0) and r.place < pgcrew.place(q.number + 1, 9, 0)))
select case when exists (select from pgcrew.workers w
                          where s.queue = any (w.queues) and w.seen_at + w.lease > clock_timestamp())
            then 'kind' else 'queue' end as what, s.queue, s.kind, s.jobs::bigint,
       null::bigint as paused_ms, null as paused_by
  from names, lateral pgcrew.survey(names.all_queues) s
 where names.all_queues is not null
union all
select 'overdue', '', '', count(*), null, null
  from (select from pgcrew.scheduled where run_at < clock_timestamp() - interval '15 s' limit 10000) x
having count(*) > 0
union all
select 'late', '', '', count(*), null, null
  from pgcrew.schedules s where s.next_at < clock_timestamp() - interval '15 s'
having count(*) > 0
union all
select 'schedule', s.name, s.error, 0, null, null from pgcrew.schedules s where s.error is not null
union all
select 'paused', q.queue, '', r.jobs, (extract(epoch from clock_timestamp() - q.paused_at) * 1000)::bigint, q.paused_by
  from pgcrew.queues q,
       lateral (select count(*) as jobs from (select from pgcrew.ready x
                                               where x.place >= pgcrew.place(q.number, 9, 0)
                                                 and x.place < pgcrew.place(q.number + 1, 9, 0) limit 10000) y) r
 where q.paused_at < clock_timestamp() - interval '1 day' and r.jobs > 0
