-- job_log: attempts of a job that did not succeed.
-- $1 bigint  job
select attempt, cause, exit_code, signal, error, holder_name as host, started_at, finished_at,
       stderr_tail
  from pgcrew.attempts
 where job_id = $1::bigint
 order by id
