-- batch_retry: what failed or was cancelled of a batch.
-- $1 uuid  batch
select pgcrew.retry_batch($1::uuid)::bigint as done, null::text as what
