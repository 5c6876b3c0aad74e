-- kinds: the queues, and what kinds wait in each.
-- $1 bigint  count at most so many of a queue
-- $2 text    the queues as watch has them: JSON
select json_build_object('queues', coalesce(json_agg(q.value || jsonb_build_object('kinds', coalesce(k.kinds, '[]')) order by q.nth), '[]'))
  from jsonb_array_elements($2::text::jsonb) with ordinality q (value, nth)
       left join pgcrew.queues n on n.queue = q.value->>'queue',
       lateral (
         select jsonb_agg(jsonb_build_object('kind', c.kind, 'ready', c.ready) order by c.ready desc, c.kind) as kinds
           from (select r.kind, count(*) as ready
                   from (select r.kind from pgcrew.ready r
                          where r.place >= pgcrew.place(n.number, 9, 0) and r.place < pgcrew.place(n.number + 1, 9, 0)
                          order by r.place limit $1::bigint) r
                  group by r.kind order by count(*) desc limit 100) c) k
