-- job_cancel: end jobs that wait, ask those that run to stop.
-- $1 bigint[]  jobs
select job_id, what from pgcrew.cancel_jobs($1::bigint[]) order by job_id
