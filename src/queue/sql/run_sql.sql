-- run_sql: the SQL function of a job, in the transaction that finishes the job.  Nothing
-- comes back when the claim is not the holder's (any more).
-- $1 bigint  holder
-- $2 bigint  token
-- $3 bigint  job
-- $4 text    function with its schema; takes the payload
-- $5 text    role to run as, null: the session's
-- $6 bool    run as the owner of the job
-- $7 bool    note the attempt
select job_id, status, attempts, max_attempts, null::bigint as wait_ms
  from pgcrew.run_sql($1::bigint, $2::bigint, $3::bigint, $4::text, $5::text, $6::bool, $7::bool,
                      current_setting('search_path'))
