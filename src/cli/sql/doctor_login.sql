-- doctor_login: what keeps this login from working off jobs.  Only where the schema is there.
-- One row a fault: level, finding, fix.
with me as (select current_user as name, 'public.jobs'::regclass as jobs),
calls as (
  select f.oid::regprocedure::text as name
    from pg_proc f join pg_namespace n on n.oid = f.pronamespace, me
   where n.nspname = 'pgcrew'
     and f.proname in ('register_worker', 'claim', 'finish', 'report', 'heartbeat', 'promote',
                       'reap_process', 'reap_expired', 'enqueue', 'cancel_jobs', 'retry_jobs')
     and not (has_schema_privilege(n.oid, 'usage') and has_function_privilege(f.oid, 'execute'))),
sees as (
  -- A policy without a condition that is for this role, or for one whose rights it has.
  select exists (select from pg_policies p
                  where p.schemaname = 'public' and p.tablename = 'jobs' and p.permissive = 'PERMISSIVE'
                    and p.cmd in ('ALL', 'SELECT') and coalesce(p.qual, 'true') = 'true'
                    and exists (select from unnest(p.roles) r
                                 where r = 'public' or pg_has_role(me.name, r, 'usage'))) as by_policy
    from me)
select 'error' as level,
       format('the login %s may not call %s functions of pgcrew, %s among them', me.name,
              count(*), min(calls.name)) as finding,
       format('grant pgcrew_worker to %I', me.name) as fix
  from calls, me group by me.name
union all
select 'error', format('the login %s may not read public.jobs', me.name),
       format('grant pgcrew_worker to %I', me.name)
  from me where not has_table_privilege(me.jobs, 'select')
union all
select 'error',
       format('the login %s reads public.jobs, but row level security hides the rows of others '
              'without an error', me.name),
       case when pg_has_role(me.name, 'service_role', 'member')
            then format('BYPASSRLS is not inherited: alter role %I set role = ''service_role''; or grant pgcrew_worker to %I', me.name, me.name)
            else format('grant pgcrew_worker to %I', me.name) end
  from me, sees
 where has_table_privilege(me.jobs, 'select') and row_security_active(me.jobs::oid) and not sees.by_policy
