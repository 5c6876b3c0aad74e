-- claim: the next jobs for this holder, as one claim under a new token.
-- The statement that moves them is in migrations/005_queue_functions.sql.
-- $1 bigint    holder
-- $2 bigint[]  where to look, in this order: from these places on (the low watermark)
-- $3 bigint[]  to these
-- $4 text[]    kinds we have handlers for, null: any
-- $5 int       at most so many
-- $6 text[]    kinds to leave alone, null: none
-- $7 bool      the holder stays idle whatever is found: it waits for other kinds, too
select token, job_id, queue, priority, kind, payload, attempt, max_attempts, batch_id,
       user_id, tempfails, waited_us
  from pgcrew.claim($1::bigint, $2::bigint[], $3::bigint[], $4::text[], $5::int, $6::text[],
                    $7::bool)
