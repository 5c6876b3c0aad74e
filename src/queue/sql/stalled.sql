-- stalled: why these processes, idle for a while, claim nothing; no row: nothing waits for them.
-- $1 uuid[]  processes
select array_to_string(queues, ', ') as queues, jobs, why, detail
  from pgcrew.stalled($1::uuid[])
