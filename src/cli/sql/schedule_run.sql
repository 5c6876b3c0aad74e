-- schedule_run: a job of a schedule, now; null: the one before has not ended and may not overlap.
-- $1 text  name
select pgcrew.run_schedule($1::text) as id
