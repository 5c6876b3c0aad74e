-- reap_process: a worker process of this host has died; its jobs go back.
-- $1 uuid      process
-- $2 bigint[]  the jobs that were running in it; null: all of its host was lost
-- $3 bool      no other job can have ended it
select pgcrew.reap_process($1::uuid, $2::bigint[], $3::bool)
