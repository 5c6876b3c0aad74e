-- promote: scheduled jobs that are due become ready.
-- $1 int  at most so many
-- next_due_ms: when the next one is due, null when none waits.
select moved, next_due_ms
  from pgcrew.promote($1::int)
