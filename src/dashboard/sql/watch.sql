-- watch: what the overview shows of all hosts, asked once a second for all who look.
-- $1 bigint  count at most so many rows of a queue
-- $2 int     at most so many running jobs
-- Counters are the server's own, for differences; ended is what has left: of jobs that came
-- in, those that do not wait, are not scheduled and are in nobody's hands.
with waiting as (
  select q.queue, q.paused_at,
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
claims as materialized (
  select c.token, c.holder, c.claimed_at, cardinality(c.job_ids) as jobs, w.name, w.slot, w.slots,
         -- A worker runs what it claimed in this order: what runs is at the front.
         c.job_ids[1 : coalesce(w.slots, 1) * 2 + 8] as first_ids, w.queues
    from pgcrew.claims c left join pgcrew.workers w on w.holder = c.holder),
holders as (
  select w.holder, w.name, w.slots, w.queues, w.version, w.idle, w.seen_at,
         w.seen_at + w.lease > clock_timestamp() as lives,
         coalesce((select sum(c.jobs) from claims c where c.holder = w.holder), 0) as claimed
    from pgcrew.workers w),
held as (
  select j.queue, count(*) as jobs
    from (select unnest(c.first_ids) as id from claims c limit $1::bigint) h join public.jobs j on j.id = h.id
   group by j.queue),
names as (
  select queue from waiting where jobs > 0 or paused_at is not null
  union select queue from later
  union select queue from held
  union select q from holders h, unnest(h.queues) q where h.lives),
queues as (
  select n.queue, coalesce(r.jobs, 0) as ready, coalesce(l.jobs, 0) as scheduled, coalesce(h.jobs, 0) as claimed,
         (select count(*) from holders w where w.lives and n.queue = any (w.queues)) as workers,
         case when r.since is not null
              then (greatest(0, extract(epoch from clock_timestamp() - r.since)) * 1000)::bigint end as oldest_ms,
         r.paused_at
    from names n left join waiting r on r.queue = n.queue left join later l on l.queue = n.queue
         left join held h on h.queue = n.queue),
hosts as (
  select w.name, count(*) filter (where w.lives) as workers, coalesce(sum(w.slots) filter (where w.lives), 0) as slots,
         coalesce(sum(least(w.slots, w.claimed)) filter (where w.lives), 0) as busy, max(w.seen_at) as seen_at,
         case when bool_and(not w.lives) then 'lost' when bool_or(not w.lives) then 'partly lost'
              when sum(w.claimed) > 0 then 'busy' else 'idle' end as state,
         max(w.version) as version
    from holders w group by w.name),
running as (
  select j.id, j.kind, j.queue, c.slot as worker, c.name as host, j.started_at,
         (greatest(0, extract(epoch from clock_timestamp() - coalesce(j.started_at, c.claimed_at))) * 1000)::bigint as run_ms,
         round(j.progress::numeric, 1) as progress, j.progress_note
    from (select c.*, unnest(c.first_ids) as id from claims c order by c.claimed_at limit 2000) c
         join public.jobs j on j.id = c.id and j.status = 'running'
   order by j.started_at limit $2::int),
-- Jobs end near what was claimed last, and, when nothing waits, near what came last.
near as (
  select j.id
    from (select c.first_ids[1] as id from claims c order by c.claimed_at desc limit 20) c,
         lateral (select j.id from public.jobs j where j.id < c.id order by j.id desc limit 100) j
  union
  select j.id from (select j.id from public.jobs j order by j.id desc limit 1000) j),
ended as (
  select extract(epoch from j.started_at - greatest(j.created_at, j.run_at)) * 1000 as wait_ms,
         extract(epoch from j.finished_at - j.started_at) * 1000 as run_ms
    from public.jobs j
   where j.id in (select id from near) and j.finished_at > clock_timestamp() - interval '1 min'
     and j.started_at is not null and j.attempts = 1
   order by j.finished_at desc limit 200),
failures as (
  select a.finished_at, a.cause
    from (select a.finished_at, a.cause from pgcrew.attempts a order by a.id desc limit 1000) a
   where a.finished_at > clock_timestamp() - interval '10 s' and a.cause not in ('succeeded', 'snoozed', 'cancelled')),
stat as (
  select sum(s.n_tup_ins) filter (where s.relid = 'public.jobs'::regclass) as came,
         sum(s.n_tup_ins - s.n_tup_del) filter (where s.relid <> 'public.jobs'::regclass) as waits,
         sum(s.n_live_tup) filter (where s.relid = 'pgcrew.ready'::regclass) as ready_about
    from pg_stat_user_tables s
   where s.relid in ('public.jobs'::regclass, 'pgcrew.ready'::regclass, 'pgcrew.scheduled'::regclass))
select to_json(clock_timestamp()) as now,
       (select coalesce(json_agg(q order by q.queue), '[]') from queues q) as queues,
       (select coalesce(json_agg(h order by h.name), '[]') from hosts h) as hosts,
       (select coalesce(json_agg(r order by r.started_at, r.id), '[]') from running r) as running,
       (select json_build_object(
                 'wait_p50_ms', round(percentile_disc(0.5) within group (order by greatest(0, e.wait_ms))),
                 'wait_p95_ms', round(percentile_disc(0.95) within group (order by greatest(0, e.wait_ms))),
                 'run_p50_ms', round(percentile_disc(0.5) within group (order by e.run_ms)),
                 'run_p95_ms', round(percentile_disc(0.95) within group (order by e.run_ms)),
                 'sample', count(*)) from ended e) as latency,
       (extract(epoch from clock_timestamp()) * 1000)::bigint as at_ms,
       coalesce(s.came, 0)::bigint as came,
       coalesce(s.came - s.waits - (select coalesce(sum(c.jobs), 0) from claims c), 0)::bigint as ended,
       (select case when count(*) < 1000 then count(*) / 10.0
                    else count(*) / greatest(0.001, extract(epoch from clock_timestamp() - min(f.finished_at))) end
          from failures f)::float8 as failed_per_s,
       (select case when max(q.ready) >= $1::bigint then greatest(sum(q.ready), s.ready_about) else coalesce(sum(q.ready), 0) end
          from queues q)::bigint as waiting
  from stat s
