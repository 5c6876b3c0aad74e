-- queue_pause: nothing is claimed from these queues any more.
-- $1 text[]  queues
-- $2 text    who says so
-- In the order of their names, so that two of these wait for each other one way only.
select u.queue, case when pgcrew.pause_queue(u.queue, $2::text) then 'paused' else 'was paused' end as what
  from (select q as queue from unnest($1::text[]) q order by q offset 0) u
