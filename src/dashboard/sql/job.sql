-- job: all that is known of one job.
-- $1 bigint  job
-- $2 int     so many characters of payload and result
with j as (select * from public.jobs where id = $1::bigint),
claim as (
  select c.claimed_at, c.holder, w.name, w.slot
    from j join pgcrew.claims c on j.id = any (c.job_ids)
           left join pgcrew.workers w on w.holder = c.holder),
tries as (
  select a.* from pgcrew.attempts a where a.job_id = $1::bigint order by a.id desc limit 200),
events as (
  select j.created_at as at, 'created' as what, format('%s in queue %s', j.kind, j.queue) as detail, 0 as nth from j
  union all
  select j.run_at, case when j.run_at > clock_timestamp() then 'is due' else 'was due' end, null, 1 from j
   where j.run_at > j.created_at + interval '1 s'
  union all
  select t.started_at, format('attempt %s started', t.attempt), t.holder_name, 2 from tries t where t.started_at is not null
  union all
  select t.finished_at, format('attempt %s ended: %s', t.attempt, t.cause), left(t.error, 500), 4 from tries t
  union all
  select c.claimed_at, 'claimed', c.name || '/' || c.slot, 2 from claim c
  union all
  select j.started_at, 'started', null, 3 from j
   where j.started_at is not null and not exists (select from tries t where t.started_at is not null)
  union all
  select x.asked_at, 'cancellation asked for', null, 5 from pgcrew.cancels x where x.job_id = $1::bigint
  union all
  select j.finished_at, j.status, left(j.error, 500), 6 from j where j.finished_at is not null)
select json_build_object(
  'job', (select to_jsonb(j) - 'payload' - 'result' || jsonb_build_object(
                   'progress', round(j.progress::numeric, 1),
                   'payload_text', left(j.payload::text, $2::int), 'payload_bytes', octet_length(j.payload::text),
                   'result_text', left(j.result::text, $2::int), 'result_bytes', octet_length(j.result::text),
                   'cancel_asked', exists (select from pgcrew.cancels x where x.job_id = j.id)) from j),
  'attempts', (select coalesce(json_agg(t order by t.id), '[]') from (
                 select t.id, t.attempt, t.cause, t.exit_code, t.signal, t.error, t.stderr_tail, t.user_ms, t.system_ms,
                        t.max_rss_bytes, t.holder_name, t.started_at, t.finished_at, t.forgiven from tries t) t),
  'timeline', (select coalesce(json_agg(json_build_object('at', e.at, 'what', e.what, 'detail', e.detail)
                                        order by e.at, e.nth), '[]') from events e),
  'claim', (select to_json(c) from claim c limit 1))
 where exists (select from j)
