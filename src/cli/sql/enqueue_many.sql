-- enqueue_many: a job for each payload; the trigger makes them ready or schedules them.
-- $1 text kind, $2 text[] payloads, $3 text queue, $4 int priority
-- $5 bigint start at (microseconds since 1970), $6 bigint start in (ms): null for now
-- $7 uuid batch, $8 uuid user, $9 int max_attempts
insert into public.jobs (kind, payload, queue, priority, run_at, batch_id, user_id, max_attempts)
select $1::text, e.payload::jsonb, $3::text, $4::int::smallint,
       coalesce('epoch'::timestamptz + $5::bigint * interval '1 us',
                now() + $6::bigint * interval '1 ms', now()),
       $7::uuid, $8::uuid, $9::int::smallint
  from unnest($2::text[]) with ordinality e (payload, nth)
 order by e.nth
returning id
