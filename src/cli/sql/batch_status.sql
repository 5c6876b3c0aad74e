-- batch_status: how far a batch is, as the function for browsers counts it.
-- $1 uuid  batch
-- $2 int   so many of its jobs
select public.batch_status($1::uuid, $2::int) as status
