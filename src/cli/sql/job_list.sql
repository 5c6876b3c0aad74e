-- job_list: the newest jobs that fit.
-- $1 text status, $2 text kind, $3 uuid batch, $4 uuid user, $5 text queue: null is any
-- $6 int  at most so many
select id, batch_id, user_id, queue, kind, status, priority, progress, progress_note,
       attempts, max_attempts, error, run_at, created_at, started_at, finished_at
  from public.jobs
 where ($1::text is null or status = $1::text)
   and ($2::text is null or kind = $2::text)
   and ($3::uuid is null or batch_id = $3::uuid)
   and ($4::uuid is null or user_id = $4::uuid)
   and ($5::text is null or queue = $5::text)
 order by id desc
 limit $6::int
