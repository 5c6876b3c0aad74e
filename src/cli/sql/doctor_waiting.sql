-- doctor_waiting: jobs at the heads of the queues that no live worker takes, and jobs overdue.
-- One row a fault: what, queue, kind, jobs.
with names as (
  select array_agg(q.queue) as all_queues from pgcrew.queues q
   where exists (select from pgcrew.ready r
                  where r.place >= pgcrew.place(q.number, 9, 0) and r.place < pgcrew.place(q.number + 1, 9, 0)))
select case when exists (select from pgcrew.workers w
                          where s.queue = any (w.queues) and w.seen_at + w.lease > clock_timestamp())
            then 'kind' else 'queue' end as what, s.queue, s.kind, s.jobs::bigint
  from names, lateral pgcrew.survey(names.all_queues) s
 where names.all_queues is not null
union all
select 'overdue', '', '', count(*)
  from (select from pgcrew.scheduled where run_at < clock_timestamp() - interval '15 s' limit 10000) x
having count(*) > 0
