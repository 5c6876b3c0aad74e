-- errors: attempts that went wrong, those that say the same as one.
-- $1 text  not older than this, null: any
-- $2 int   look at so many of the newest
-- The same is what is the same without numbers, ids and what stands in quotes.
with newest as (
  select a.job_id, a.cause, a.finished_at, left(coalesce(nullif(a.error, ''), a.cause), 300) as error
    from (select * from pgcrew.attempts a order by a.id desc limit $2::int) a
   where a.cause not in ('succeeded', 'snoozed', 'cancelled')
     and ($1::text is null or a.finished_at >= $1::text::timestamptz)),
plain as (
  select n.*,
         regexp_replace(
           regexp_replace(
             regexp_replace(
               regexp_replace(n.error, '[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}', '<uuid>', 'g'),
               '"[^"]*"|''[^'']*''', '<...>', 'g'),
             '\m(0x)?(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]{8,}\M', '<n>', 'g'),
           '[0-9]+', '<n>', 'g') as message
    from newest n),
groups as (
  select p.message, count(*) as count, min(p.finished_at) as first_at, max(p.finished_at) as last_at,
         max(p.job_id) as sample_job_id, array_agg(distinct p.cause) as causes,
         (array_agg(distinct j.kind))[1:20] as kinds
    from plain p left join public.jobs j on j.id = p.job_id
   group by p.message order by count(*) desc, max(p.finished_at) desc limit 200)
select json_build_object(
  'errors', (select coalesce(json_agg(g order by g.count desc, g.last_at desc), '[]') from groups g),
  'looked_at', (select count(*) from newest))
