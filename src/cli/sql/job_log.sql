-- job_log: attempts of a job that were noted: all that did not succeed, others if their kind keeps them.
-- $1 bigint  job
select attempt, cause, exit_code, signal, error, holder_name as host, started_at, finished_at,
       user_ms, system_ms, max_rss_bytes, stderr_tail
  from pgcrew.attempts
 where job_id = $1::bigint
 order by id
