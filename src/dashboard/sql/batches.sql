-- batches: those of the newest jobs, the newest first.
-- $1 bigint  below this id of a job, null: from the newest on
-- $2 int     at most so many
-- $3 int     look at so many jobs
-- A batch has no row of its own: it is as new as its newest job.  next: there may be more below
-- this id.
with newest as (
  select j.batch_id, j.id from public.jobs j
   where j.batch_id is not null and j.id < coalesce($1::bigint, 9223372036854775807)
   order by j.id desc limit $3::int),
picked as (
  select n.batch_id, max(n.id) as id from newest n group by n.batch_id
   -- When it has newer jobs it was on an earlier page.
  having not exists (select from public.jobs j where j.batch_id = n.batch_id and j.id >= $1::bigint)
   order by 2 desc limit $2::int + 1),
shown as (select * from picked order by id desc limit $2::int),
counted as (
  select s.id as last_id, s.batch_id, c.*, c.total - c.queued - c.running - c.failed - c.cancelled as succeeded
    from shown s, lateral (
      select min(j.user_id::text) as user_id, count(*) as total,
             count(*) filter (where j.status = 'queued') as queued,
             count(*) filter (where j.status = 'running') as running,
             count(*) filter (where j.status = 'failed') as failed,
             count(*) filter (where j.status = 'cancelled') as cancelled,
             coalesce(sum(j.progress::numeric) filter (where j.status = 'running'), 0) as shares,
             min(j.created_at) as created_at,
             case when bool_and(j.finished_at is not null) then max(j.finished_at) end as finished_at
        from public.jobs j where j.batch_id = s.batch_id) c)
select json_build_object(
  'batches', (select coalesce(json_agg(json_build_object(
                'batch_id', c.batch_id, 'user_id', c.user_id, 'total', c.total, 'queued', c.queued, 'running', c.running,
                'succeeded', c.succeeded, 'failed', c.failed, 'cancelled', c.cancelled,
                'percent', round((100 * (c.total - c.queued - c.running) + c.shares) / c.total, 1),
                'created_at', c.created_at, 'finished_at', c.finished_at, 'before', c.last_id)
                order by c.last_id desc), '[]') from counted c),
  'more', (select count(*) from picked) > $2::int or (select count(*) from newest) >= $3::int,
  'next', case when (select count(*) from picked) > $2::int then (select min(s.id) from shown s)
               when (select count(*) from newest) >= $3::int then (select min(n.id) from newest n) end)
