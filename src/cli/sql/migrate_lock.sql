-- migrate_lock: one migration at a time; the files take the same lock.
select pg_advisory_xact_lock(1885823858, 0), set_config('statement_timeout', '0', true)
