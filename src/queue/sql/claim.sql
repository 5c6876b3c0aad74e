-- claim: the next jobs for this holder, as one claim under a new token.
-- The statement that moves them is in migrations/005_queue_functions.sql.
-- $1 bigint      holder
-- $2 text[]      queues      $3, $4 are parallel to it: places to look at,
-- $3 smallint[]  priorities  in this order,
-- $4 bigint[]    from seq    each from this seq on (the low watermark)
-- $5 text[]      kinds we have handlers for, null: any
-- $6 int         at most so many
-- $7 text[]      kinds to leave alone, null: none
-- $8 bool        the holder stays idle whatever is found: it waits for other kinds, too
select token, job_id, seq, queue, priority, kind, payload, attempt, max_attempts, batch_id,
       user_id, tempfails
  from pgcrew.claim($1::bigint, $2::text[], $3::smallint[], $4::bigint[], $5::text[], $6::int,
                    $7::text[], $8::bool)
