-- batch_retry: queue the failed and cancelled jobs of a batch again.
-- $1 uuid  batch
select (select count(*) from public.jobs j where j.batch_id = $1::uuid) as total,
       pgcrew.retry_batch($1::uuid) as queued
