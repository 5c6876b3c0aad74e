-- watch_see: what of a batch has changed.  The first row is the batch, each other one a job.
-- $1 uuid      batch
-- $2 int       so many of its jobs are followed, the first ones
-- $3 boolean   all of them in full, too
-- $4 bigint[]  ids of the jobs that are known; null: none is told by itself
-- $5 bigint[]  their hashes
with followed as materialized (
  select j.id, hash_record_extended(row(j.status, j.progress, j.progress_note, j.attempts), j.id) as hash
    from public.jobs j
   where j.batch_id = $1::uuid
   order by j.id limit $2::int),
batch as materialized (
  select public.batch_status($1::uuid, 0) as status)
select null::bigint as job_id,
       b.status - 'jobs' - 'jobs_truncated' as body,
       (b.status ->> 'done')::boolean as done,
       case when $3::boolean then public.batch_status($1::uuid, $2::int) end as whole,
       (select count(*) || '/' || coalesce(sum(hash_record_extended(row(j.status, j.progress, j.progress_note, j.attempts), j.id)), 0)
          from public.jobs j where j.batch_id = $1::uuid) as digest,
       array(select f.id from followed f order by f.id) as ids,
       array(select f.hash from followed f order by f.id) as hashes
  from batch b
union all
select j.id,
       jsonb_build_object('id', j.id, 'kind', j.kind, 'status', j.status, 'progress', round(j.progress::numeric, 1),
                          'progress_note', j.progress_note, 'attempts', j.attempts, 'max_attempts', j.max_attempts,
                          'error', j.error,
                          'result', case when octet_length(j.result::text) <= 65536 then j.result end,
                          'run_at', j.run_at, 'created_at', j.created_at, 'started_at', j.started_at,
                          'finished_at', j.finished_at),
       null, null, null, null, null
  -- By sorting or hashing: a thousand times a thousand comparisons would be felt.
  from (select f.id, f.hash from followed f
        except
        select k.id, k.hash from unnest($4::bigint[], $5::bigint[]) k (id, hash)) x,
       lateral (select * from public.jobs y where y.batch_id = $1::uuid and y.id = x.id offset 0) j
 where $4::bigint[] is not null
 order by job_id nulls first
