-- doctor_rules: who else may touch jobs, and may users see their own?  Only where the schema is there.
-- One row a fault: level, finding, fix.
with t as (select 'public.jobs'::regclass as jobs)
select 'error' as level, 'public.jobs has no row level security: users would see all jobs' as finding,
       'alter table public.jobs enable row level security' as fix
  from t join pg_class c on c.oid = t.jobs where not c.relrowsecurity
union all
select 'error', format('%s may %s public.jobs', x.role, x.privilege),
       format('revoke %s on public.jobs from %s', x.privilege, x.role)
  from t, (values ('anon', 'select'), ('anon', 'insert'), ('anon', 'update'), ('anon', 'delete'),
                  ('anon', 'truncate'), ('authenticated', 'update'), ('authenticated', 'delete'),
                  ('authenticated', 'truncate')) x (role, privilege)
 where to_regrole(x.role) is not null and has_table_privilege(x.role, t.jobs, x.privilege)
union all
select 'error', format('%s may execute %s', r.rolname, f.oid::regprocedure),
       format('revoke execute on function %s from public, %s', f.oid::regprocedure, r.rolname)
  from pg_proc f join pg_namespace n on n.oid = f.pronamespace
       join pg_roles r on r.rolname in ('anon', 'authenticated')
 where (n.nspname = 'pgcrew'
        or r.rolname = 'anon' and n.nspname = 'public'
           and f.proname in ('enqueue_jobs', 'batch_status', 'cancel_batch'))
   and has_function_privilege(r.rolname, f.oid, 'execute')
union all
select 'error', 'authenticated may not read public.jobs: every user gets "Job not found"',
       'grant select on public.jobs to authenticated'
  from t where to_regrole('authenticated') is not null
           and not has_table_privilege('authenticated', t.jobs, 'select')
union all
select 'error', 'no policy lets users see their own jobs: every user gets "Job not found"',
       'pgcrew migrate print shows the policy jobs_select_own: create it again'
 where not exists (select from pg_policies p
                    where p.schemaname = 'public' and p.tablename = 'jobs'
                      and p.cmd in ('SELECT', 'ALL') and p.roles && array['authenticated', 'public']::name[])
union all
select 'warn', format('the policy %s calls auth.uid() once a row', p.policyname),
       'write (select auth.uid()) in it'
  from pg_policies p
 where p.schemaname = 'public' and p.tablename = 'jobs'
   and (p.qual || coalesce(p.with_check, '')) ~* 'auth\.uid\(\)'
   and (p.qual || coalesce(p.with_check, '')) !~* 'select auth\.uid\(\)'
union all
select 'error', format('the policy %s lets %s see the jobs of others', p.policyname,
                       array_to_string(p.roles, ', ')),
       format('drop policy %I on public.jobs', p.policyname)
  from pg_policies p
 where p.schemaname = 'public' and p.tablename = 'jobs' and p.permissive = 'PERMISSIVE'
   and p.cmd in ('SELECT', 'ALL') and coalesce(p.qual, 'true') = 'true'
   and p.roles && array['anon', 'authenticated', 'public']::name[]
