-- why: where a job is and who could take it.
-- $1 bigint  job
-- $2 bigint  count at most so many jobs ahead
-- reason is the first that applies; C has the sentence for each (why.c).
with j as (select * from public.jobs where id = $1::bigint),
live as (
  select w.*, j.kind = any (w.kinds) or w.kinds is null as takes_kind,
         j.queue = any (w.queues) as serves_queue
    from pgcrew.workers w, j
   where w.seen_at + w.lease > clock_timestamp()),
claim as (
  select c.claimed_at, w.name as host, w.slot, w.pid,
         coalesce(w.seen_at + w.lease > clock_timestamp(), false) as lives
    from j join pgcrew.claims c on j.id = any (c.job_ids)
           left join pgcrew.workers w on w.holder = c.holder),
mine as (
  select r.*, q.number
    from j join pgcrew.queues q on q.queue = j.queue
           join pgcrew.ready r on r.place = pgcrew.place(q.number, j.priority, j.id)),
ahead as (
  select count(*) as n
    from (select from mine join pgcrew.ready r
                   on r.place >= pgcrew.place(mine.number, 9, 0) and r.place < mine.place
           limit $2::bigint) x),
-- Only where it is asked for below: one of them claims the next job, and that is undone.
stall as (
  select s.detail from (select array_agg(l.process) as idle from live l
                         where l.idle and l.serves_queue and l.takes_kind) i,
         lateral pgcrew.stalled(i.idle) s
   where exists (select from mine)),
last as (
  select a.cause, a.error, a.attempt from j join pgcrew.attempts a on a.job_id = j.id and not a.forgiven
   order by a.id desc limit 1)
select j.id, j.kind, j.queue, j.user_id, j.status, j.priority, j.run_at, j.attempts, j.max_attempts,
       j.finished_at, j.error,
       case
         when j.status = 'failed' and j.error like 'quarantined: %' then 'quarantined'
         when j.status in ('succeeded', 'failed', 'cancelled') then j.status
         when exists (select from claim where not lives) then 'holder_lost'
         when exists (select from claim)
              and exists (select from pgcrew.cancels x where x.job_id = j.id) then 'cancel_asked'
         when exists (select from claim) and j.status = 'running' then 'running'
         when exists (select from claim) then 'claimed'
         when exists (select from pgcrew.scheduled s where s.job_id = j.id and s.run_at > clock_timestamp())
           then case when (select cause from last) in ('snoozed', 'no_start') then (select cause from last)
                     when exists (select from last) then 'retry_wait'
                     else 'scheduled' end
         when not exists (select from pgcrew.scheduled s where s.job_id = j.id)
              and not exists (select from mine) then 'astray'
         when exists (select from mine) and q.paused_at is not null then 'paused'
         when not exists (select from live) then 'no_worker'
         when not exists (select from live where serves_queue) then 'no_queue'
         when not exists (select from live where serves_queue and takes_kind) then 'no_handler'
         when exists (select from pgcrew.scheduled s where s.job_id = j.id) then 'due'
         when not exists (select from live where serves_queue and takes_kind and idle) then 'busy'
         when j.run_at < clock_timestamp() - interval '30 s' and exists (select from stall) then 'stalled'
         else 'next'
       end as reason,
       (select host from claim) as host, (select slot from claim) as slot,
       (select claimed_at from claim) as claimed_at,
       (select s.run_at from pgcrew.scheduled s where s.job_id = j.id) as due_at,
       (select n from ahead) as ahead,
       case when j.run_at < clock_timestamp() - interval '30 s' then (select detail from stall) end as stall,
       (select count(*) from live where serves_queue and takes_kind) as workers,
       (select cause from last) as last_cause, (select error from last) as last_error,
       (select count(distinct name) from live) as live_hosts,
       q.paused_at, q.paused_by
  from j left join pgcrew.queues q on q.queue = j.queue