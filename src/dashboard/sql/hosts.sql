-- hosts: every worker of every host, and what is in its hands.
with held as (
  select c.holder,
         -- Of many that are claimed, those that run are at the front.
         (array_agg(i.id order by c.token, i.nth))[1:50] as ids
    from pgcrew.claims c, lateral unnest(c.job_ids[1:50]) with ordinality i (id, nth) group by c.holder),
workers as (
  select w.*, w.seen_at + w.lease > clock_timestamp() as lives, coalesce(h.ids, '{}') as running
    from pgcrew.workers w left join held h on h.holder = w.holder)
select coalesce(json_agg(h order by h.name), '[]') as hosts
  from (select w.name, max(w.version) as version, max(w.seen_at) as seen_at,
               json_agg(json_build_object(
                 'slot', w.slot, 'pid', w.pid, 'state', case when not w.lives then 'lost' when w.idle then 'idle' else 'busy' end,
                 'slots', w.slots, 'queues', w.queues, 'kinds', w.kinds, 'seen_at', w.seen_at, 'started_at', w.started_at,
                 'idle', w.idle, 'running', w.running) order by w.slot, w.holder) as workers
          from workers w group by w.name) h
