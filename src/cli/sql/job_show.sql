-- job_show: all that is known of one job.
-- $1 bigint  job
select j.id, j.batch_id, j.user_id, j.queue, j.kind, j.status, j.priority, j.progress,
       j.progress_note, j.attempts, j.max_attempts, j.unique_key, j.error, j.run_at,
       j.created_at, j.started_at, j.finished_at,
       w.name as host, w.slot as slot, c.claimed_at,
       exists (select from pgcrew.cancels x where x.job_id = j.id) as cancel_asked,
       j.payload, j.result
  from public.jobs j
  left join pgcrew.claims c on j.id = any (c.job_ids)
  left join pgcrew.workers w on w.holder = c.holder
 where j.id = $1::bigint
