-- report: jobs that run, and how far they are.  Returns those that are not ours any more.
-- $1 bigint    holder
-- $2 bigint[]  tokens; the other arrays are parallel to it
-- $3 bigint[]  jobs
-- $4 int[]     how long ago it was started, in ms
-- $5 real[]    percent, null: unknown
-- $6 text[]    note, null: none
select job_id
  from pgcrew.report($1::bigint, $2::bigint[], $3::bigint[], $4::int[], $5::real[], $6::text[])
