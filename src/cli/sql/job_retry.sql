-- job_retry: queue ended jobs again.
-- $1 bigint[]  jobs
select job_id, what from pgcrew.retry_jobs($1::bigint[]) order by job_id
