-- schedule_resume: these schedules put jobs in again, from now on.
-- $1 text[]  names
-- In the order of their names, so that two of these wait for each other one way only.
select u.name, case when pgcrew.resume_schedule(u.name) then 'resumed' else 'was not paused' end as what
  from (select n as name from unnest($1::text[]) n order by n offset 0) u
