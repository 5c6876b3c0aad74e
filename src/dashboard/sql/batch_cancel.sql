-- batch_cancel: end what waits of a batch, ask what runs to stop.
-- $1 uuid  batch
select (c.cancelled + c.asked)::bigint as done, null::text as what from pgcrew.cancel_batch_jobs($1::uuid) c
