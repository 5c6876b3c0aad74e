-- schedules: what puts jobs in again and again, and the jobs that wait for their time.
-- $1 int  at most so many characters of a payload
-- $2 int  at most so many of each
select json_build_object(
  'schedules', (select coalesce(json_agg(s order by s.name), '[]') from (
     select s.name, s.cron, s.timezone, s.kind, s.queue, left(s.payload::text, $1::int) as payload_text, s.priority,
            s.max_attempts, s.catch_up, s.overlap, s.next_at, s.last_at, s.last_job_id, s.paused_at, s.paused_by, s.note
       from pgcrew.schedules s order by s.name limit $2::int) s),
  'scheduled', (select coalesce(json_agg(x order by x.run_at, x.id), '[]') from (
     select s.job_id as id, s.kind, s.queue, s.run_at, j.attempts
       from (select * from pgcrew.scheduled s order by s.run_at limit $2::int) s
            left join public.jobs j on j.id = s.job_id) x))
