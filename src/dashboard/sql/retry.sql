-- retry: these jobs; how many it was done for, and of the last one what.
-- $1 bigint[]  jobs
-- By parts: retry_jobs() compares its lists with each other row by row.
select count(*) filter (where r.what in ('queued')) as done, max(r.what) as what
  from generate_series(1, cardinality($1::bigint[]), 200) s (first),
       lateral pgcrew.retry_jobs(($1::bigint[])[s.first : s.first + 199]) r
