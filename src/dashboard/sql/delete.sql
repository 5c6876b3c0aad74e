-- delete: these jobs, if they do not run; how many, and of the last one what.
-- $1 bigint[]  jobs
with gone as (
  delete from public.jobs j where j.id = any ($1::bigint[]) and j.status <> 'running' returning j.id)
select (select count(*) from gone) as done,
       case when exists (select from gone) then 'deleted'
            when exists (select from public.jobs j where j.id = any ($1::bigint[])) then 'running'
            else 'unknown' end as what
