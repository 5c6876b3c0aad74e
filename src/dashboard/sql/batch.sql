-- batch: how far it is, as browsers are told, with some of its jobs.
-- $1 uuid  batch
-- $2 int   so many of its jobs
select public.batch_status($1::uuid, $2::int)::json as status
