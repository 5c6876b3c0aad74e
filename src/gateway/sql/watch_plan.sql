-- watch_plan: what follows in this transaction is planned as in public.batch_status(): by the
-- index of the batch, whatever the statistics say, and once a session.
select set_config('plan_cache_mode', 'force_generic_plan', true),
       set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true),
       set_config('jit', 'off', true)
