-- unregister: this worker process ends; what it still holds goes back.
-- $1 uuid  process
select pgcrew.unregister_worker($1::uuid)
