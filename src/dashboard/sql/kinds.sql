-- kinds: what waits, by kind.
-- $1 bigint  count at most so many
select coalesce(json_agg(json_build_object('kind', k.kind, 'queue', k.queue, 'ready', k.ready) order by k.ready desc, k.kind),
                '[]') as kinds
  from (select r.kind, r.queue, count(*) as ready
          from (select r.kind, r.queue from pgcrew.ready r limit $1::bigint) r group by r.kind, r.queue
         order by count(*) desc limit 200) k
