-- survey: kinds that wait at the head of these queues and that no live worker handles.
-- $1 text[]  queues
select queue, kind, jobs
  from pgcrew.survey($1::text[])
