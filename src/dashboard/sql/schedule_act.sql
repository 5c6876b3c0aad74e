-- schedule_act: pause, resume or run a schedule now: 1, or 0 when there was nothing to do; the
-- job that was put in.
-- $1 text pause, resume or run, $2 text schedule, $3 text who
select (case when $1::text = 'run' then d.job_id is not null else d.changed end)::int::bigint as done, d.job_id
  from (select case $1::text when 'pause' then pgcrew.pause_schedule($2::text, $3::text)
                             when 'resume' then pgcrew.resume_schedule($2::text) end as changed,
               case $1::text when 'run' then pgcrew.run_schedule($2::text) end as job_id) d
