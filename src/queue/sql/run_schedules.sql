-- run_schedules: schedules that are due put their jobs in.
-- $1 int  at most so many schedules
-- next_due_ms: when the next one is due, null when none will be.
select jobs, next_due_ms
  from pgcrew.run_schedules($1::int)
