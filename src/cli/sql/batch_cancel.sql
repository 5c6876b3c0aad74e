-- batch_cancel: end what waits of a batch, ask what runs to stop.
-- $1 uuid  batch
select (select count(*) from public.jobs j where j.batch_id = $1::uuid) as total, cancelled, asked
  from pgcrew.cancel_batch_jobs($1::uuid)
