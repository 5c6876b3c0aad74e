-- lock: one measures in a database at a time, for as long as its session lives.
-- The class is that of the locks of the queue that is measured, see db/rename.h.
select pg_try_advisory_lock(1885823758, 4)
