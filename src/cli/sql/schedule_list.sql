-- schedule_list: all schedules, and how the last job of each is.
select s.name, s.cron, s.timezone, s.kind, s.queue, s.payload, s.priority, s.max_attempts, s.catch_up, s.overlap,
       s.made_by, s.made_at, s.paused_at, s.paused_by, s.next_at, s.last_at, s.last_job_id,
       (select j.status from public.jobs j where j.id = s.last_job_id) as last_status, s.note, s.error
  from pgcrew.schedules s
 order by s.name
