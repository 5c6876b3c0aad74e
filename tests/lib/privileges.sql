-- Every object of pgcrew and what each of these roles may do with it, one line an object.
-- "login" is one that was granted nothing.
with roles (role) as (
  select unnest(array['anon', 'authenticated', 'service_role', 'pgcrew_worker', 'pgcrew_gateway', 'login'])),
relations as (
  select c.oid, c.relkind, format('%s %I.%I', case c.relkind when 'S' then 'sequence' else 'table' end, n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'v', 'm', 'p', 'f', 'S')
     and (n.nspname = 'pgcrew' or n.nspname = 'public' and c.relname like 'jobs%')),
rights as (
  select 1 as nth, r.name, o.role, p.what
    from relations r, roles o,
         unnest(case r.relkind when 'S' then array['usage', 'select', 'update']
                else array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'] end)
           with ordinality p (what, nth)
   where case r.relkind when 'S' then has_sequence_privilege(o.role, r.oid, p.what)
              else has_table_privilege(o.role, r.oid, p.what) end
  union all
  select 2, r.name || '.' || a.attname, o.role, p.what
    from relations r join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped, roles o,
         unnest(array['select', 'insert', 'update', 'references']) p (what)
   where r.relkind <> 'S' and has_column_privilege(o.role, r.oid, a.attnum, p.what)
     and not has_table_privilege(o.role, r.oid, p.what)
  union all
  select 3, format('function %I.%I/%s', n.nspname, f.proname, f.pronargs), o.role, 'execute'
    from pg_proc f join pg_namespace n on n.oid = f.pronamespace, roles o
   where n.nspname in ('pgcrew', 'public')
     and not exists (select from pg_depend d where d.objid = f.oid and d.deptype = 'e')
     and has_function_privilege(o.role, f.oid, 'execute')
  union all
  select 0, format('schema %I', n.nspname), o.role, p.what
    from pg_namespace n, roles o, unnest(array['usage', 'create']) p (what)
   where n.nspname = 'pgcrew' and has_schema_privilege(o.role, n.oid, p.what)),
objects (nth, name) as (
  select 1, name from relations
  union select 0, 'schema pgcrew'
  union select nth, name from rights where nth = 2
  union select 3, format('function %I.%I/%s', n.nspname, f.proname, f.pronargs)
    from pg_proc f join pg_namespace n on n.oid = f.pronamespace
   where n.nspname in ('pgcrew', 'public')
     and not exists (select from pg_depend d where d.objid = f.oid and d.deptype = 'e'))
select o.name || ': ' || coalesce((
         select string_agg(x.role || ' ' || x.whats, ', ' order by x.role)
           from (select r.role, string_agg(r.what, '+' order by r.what) as whats
                   from rights r where r.nth = o.nth and r.name = o.name group by r.role) x), 'nobody')
  from objects o order by o.nth, o.name collate "C";
