-- batch_status: how far a batch of the user is.
-- $1 uuid  batch
-- $2 int   so many of its jobs
select public.batch_status($1::uuid, $2::int)
