-- bulk: the first jobs that fit and that the action is for, and how many there are.
-- $1 to $9 as in search; $10 text retry, cancel or delete
-- $11 bigint above this id
-- $12 int    count at most so many and one
-- $13 int    ids of at most so many
-- What cannot be done now is left out: a retry whose unique key another job has, a
-- cancellation that was asked for, the deletion of a job that runs.
with recursive edges (name, at) as (
  values ('since', $6::text::timestamptz - interval '10 min'), ('until', $7::text::timestamptz + interval '10 min')),
halves (name, at, low, high) as (
  select e.name, e.at, coalesce((select min(id) from public.jobs), 0), coalesce((select max(id) from public.jobs), 0) + 1
    from edges e where e.at is not null
  union all
  select h.name, h.at,
         case when m.is_before then (h.low + h.high) / 2 + 1 else h.low end,
         case when m.is_before then h.high else (h.low + h.high) / 2 end
    from halves h, lateral (select coalesce((select j.created_at < h.at from public.jobs j
                                              where j.id >= (h.low + h.high) / 2 order by j.id limit 1), false) as is_before) m
   where h.low < h.high),
bounds as (
  select coalesce((select h.low from halves h where h.name = 'since' and h.low >= h.high), 0) as low,
         coalesce((select h.low from halves h where h.name = 'until' and h.low >= h.high), 9223372036854775807) as high),
fits as materialized (
  select j.id
    from public.jobs j
   where ($1::text is null or j.status = $1::text)
     and ($2::text is null or j.kind = $2::text)
     and ($3::text is null or j.queue = $3::text)
     and ($4::uuid is null or j.batch_id = $4::uuid)
     and ($5::uuid is null or j.user_id = $5::uuid)
     and ($6::text is null or j.created_at >= $6::text::timestamptz)
     and ($7::text is null or j.created_at < $7::text::timestamptz)
     and ($8::text is null or strpos(lower(j.error), lower($8::text)) > 0
          or strpos(lower(j.payload::text), lower($8::text)) > 0)
     and ($9::bigint is null or j.id = $9::bigint)
     and j.id > coalesce($11::bigint, 0)
     and j.id >= (select b.low from bounds b) and j.id < (select b.high from bounds b)
     and case $10::text
           when 'retry' then j.status in ('failed', 'cancelled')
                             and (j.unique_key is null
                                  or not exists (select from pgcrew.unique_keys k where k.key = j.unique_key))
           when 'cancel' then j.status in ('queued', 'running')
                              and not exists (select from pgcrew.cancels x where x.job_id = j.id)
           else j.status <> 'running' end
   order by j.id limit $12::int + 1)
select (select count(*) from fits) as n,
       array(select f.id from fits f order by f.id limit $13::int) as ids
