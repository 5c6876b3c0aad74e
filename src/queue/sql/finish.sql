-- finish: jobs of one claim have ended.  The answer has a row for each that did not just
-- succeed; without a status: it was taken away before.
-- $1 bigint    holder
-- $2 bigint    token
-- $3 bigint[]  jobs; the other arrays are parallel to it, or null: nothing to say of any
-- $4 text[]    outcome (null: all succeeded): succeeded, failed, retry, again, cancelled, release
-- $5 int[]     how long ago it was started, in ms
-- $6 bigint[]  wait before the next attempt, in ms
-- $7 text[]    result, JSON
-- $8 text[]    error, one line
-- $9 text[]    cause, as in pgcrew.attempts; 'succeeded' has the attempt noted
-- $10 int[]    exit status
-- $11 int[]    signal
-- $12 text[]   the end of stderr
-- $13, $14 int[]  CPU time used, of the user and of the system, in ms
-- $15 bigint[] peak memory, in bytes; 0: not known
select job_id, status, attempts, max_attempts, wait_ms
  from pgcrew.finish($1::bigint, $2::bigint, $3::bigint[], $4::text[], $5::int[], $6::bigint[],
                     $7::text[], $8::text[], $9::text[], $10::int[], $11::int[], $12::text[],
                     $13::int[], $14::int[], $15::bigint[])
