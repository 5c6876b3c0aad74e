-- enqueue_unique: one job, unless an unfinished one has the same key.
-- $1 text kind, $2 text[] one payload, $3 text queue, $4 int priority
-- $5 bigint start at (microseconds since 1970), $6 bigint start in (ms): null for now
-- $7 uuid batch, $8 uuid user, $9 int max_attempts, $10 text key
-- existing: the job that was there before us has the key.
select e.id, e.id is not distinct from
             (select k.job_id from pgcrew.unique_keys k where k.key = $10::text) as existing
  from (select pgcrew.enqueue(
          kind => $1::text, payload => ($2::text[])[1]::jsonb, queue => $3::text,
          priority => $4::int,
          run_at => coalesce('epoch'::timestamptz + $5::bigint * interval '1 us',
                             now() + $6::bigint * interval '1 ms', now()),
          batch_id => $7::uuid, user_id => $8::uuid, max_attempts => $9::int,
          unique_key => $10::text) offset 0) e (id)
