-- heartbeat: renew the leases of this host's worker processes.
-- $1 uuid[]  processes
-- One that does not come back has been reaped: its worker must stop.
select process, cancels
  from pgcrew.heartbeat($1::uuid[])
