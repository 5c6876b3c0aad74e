-- queue_resume: these queues are claimed from again.
-- $1 text[]  queues
-- In the order of their names, so that two of these wait for each other one way only.
select u.queue, case when pgcrew.resume_queue(u.queue) then 'resumed' else 'was not paused' end as what
  from (select q as queue from unnest($1::text[]) q order by q offset 0) u
