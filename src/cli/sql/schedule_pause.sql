-- schedule_pause: these schedules put no more jobs in.
-- $1 text[]  names
-- $2 text    who says so
-- In the order of their names, so that two of these wait for each other one way only.
select u.name, case when pgcrew.pause_schedule(u.name, $2::text) then 'paused' else 'was paused' end as what
  from (select n as name from unnest($1::text[]) n order by n offset 0) u
