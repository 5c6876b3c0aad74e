-- cancel_backend: stop what a session of ours is doing.
-- $1 int  its process
select pg_cancel_backend($1::int)
