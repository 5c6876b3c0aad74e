-- schedule_remove: remove schedules; their jobs stay.
-- $1 text[]  names
select u.name, case when pgcrew.remove_schedule(u.name) then 'removed' else 'unknown' end as what
  from (select n as name from unnest($1::text[]) n order by n offset 0) u
