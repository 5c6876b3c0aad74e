-- cancel_batch: cancel what is left of a batch of the user.
-- $1 uuid  batch
select jsonb_build_object('cancelled', public.cancel_batch($1::uuid))
