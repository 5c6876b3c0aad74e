-- limits: of what follows in this transaction: how long a statement may take, and that it is
-- planned for the values it has, since filters that are not given cost nothing then.  Indexes
-- are walked, never whole tables: what is wanted are the newest rows.
-- $1 text  milliseconds
select set_config('statement_timeout', $1::text, true),
       set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('enable_seqscan', 'off', true),
       set_config('enable_bitmapscan', 'off', true),
       set_config('jit', 'off', true),
       set_config('timezone', 'UTC', true)
