-- waits_for: does anything wait that an idle worker of this host would claim?
-- $1 uuid[]  its processes
-- cost_ms: how long it took to find out.
select waits, cost_ms
  from pgcrew.waits_for($1::uuid[])
