-- reap_process: a worker process of this host has died; its jobs go back.
-- $1 uuid      process
-- $2 bigint[]  the jobs that were running in it
select pgcrew.reap_process($1::uuid, $2::bigint[])
