-- claim: the next jobs for this holder, as one claim under a new token.
-- The statement that moves them is in migrations/005_queue_functions.sql.
-- $1 bigint      holder
-- $2 text[]      queues      $3, $4 are parallel to it: places to look at,
-- $3 smallint[]  from rank   in this order, each from (rank, id) on (the low watermark)
-- $4 bigint[]    from id
-- $5 smallint[]  last rank   to the end of this one
-- $6 text[]      kinds we have handlers for, null: any
-- $7 int         at most so many
-- $8 text[]      kinds to leave alone, null: none
-- $9 bool        the holder stays idle whatever is found: it waits for other kinds, too
select token, job_id, queue, priority, kind, payload, attempt, max_attempts, batch_id,
       user_id, tempfails
  from pgcrew.claim($1::bigint, $2::text[], $3::smallint[], $4::bigint[], $5::smallint[],
                    $6::text[], $7::int, $8::text[], $9::bool)
