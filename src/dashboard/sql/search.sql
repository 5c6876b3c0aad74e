-- search: the newest jobs that fit.
-- $1 text status, $2 text kind, $3 text queue, $4 uuid batch, $5 uuid user, $6 text since,
-- $7 text until, $8 text in error or payload, $9 bigint id: null is any
-- $10 bigint below this id, null: from the newest on
-- $11 int    at most so many
-- $12 int    of those that batch, user, time and id leave, look at so many
-- next: there may be more below this id; looked_to: and more than was looked at.  Ids and times of creation
-- rise together but for transactions that took their time: ten minutes of those are allowed for.
with recursive edges (name, at) as (
  values ('since', $6::text::timestamptz - interval '10 min'), ('until', $7::text::timestamptz + interval '10 min')),
-- The first id that was created at or after it, found by halves.
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
         least(coalesce((select h.low from halves h where h.name = 'until' and h.low >= h.high), 9223372036854775807),
               coalesce($10::bigint, 9223372036854775807)) as high),
found as materialized (
  select j.id, j.kind, j.queue, j.status, j.priority, j.attempts, j.max_attempts, round(j.progress::numeric, 1) as progress,
         j.progress_note, left(j.error, 2000) as error, j.batch_id, j.user_id, j.created_at, j.run_at, j.started_at,
         j.finished_at
    from (select * from public.jobs j
           where ($9::bigint is null or j.id = $9::bigint)
             and ($4::uuid is null or j.batch_id = $4::uuid)
             and ($5::uuid is null or j.user_id = $5::uuid)
             and j.id >= (select b.low from bounds b) and j.id < (select b.high from bounds b)
           order by j.id desc limit $12::int) j
   where ($1::text is null or j.status = $1::text)
     and ($2::text is null or j.kind = $2::text)
     and ($3::text is null or j.queue = $3::text)
     and ($6::text is null or j.created_at >= $6::text::timestamptz)
     and ($7::text is null or j.created_at < $7::text::timestamptz)
     and ($8::text is null or strpos(lower(j.error), lower($8::text)) > 0
          or strpos(lower(j.payload::text), lower($8::text)) > 0)
   order by j.id desc limit $11::int + 1),
shown as (select * from found order by id desc limit $11::int),
looked as (
  select case when (select count(*) from found) <= $11::int then
           (select j.id from public.jobs j
             where ($9::bigint is null or j.id = $9::bigint)
               and ($4::uuid is null or j.batch_id = $4::uuid)
               and ($5::uuid is null or j.user_id = $5::uuid)
               and j.id >= (select b.low from bounds b) and j.id < (select b.high from bounds b)
             order by j.id desc offset $12::int - 1 limit 1) end as id)
select json_build_object(
         'jobs', (select coalesce(json_agg(s order by s.id desc), '[]') from shown s),
         'more', (select count(*) from found) > $11::int or (select l.id from looked l) is not null,
         'next', case when (select count(*) from found) > $11::int then (select min(s.id) from shown s)
                      else (select l.id from looked l) end,
         'looked_to', (select l.id from looked l))
