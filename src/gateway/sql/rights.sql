-- rights: what of this login is more than a gateway's, or less.
-- $1 text[]  the roles it acts as
-- One row a fault: level, finding, fix.
with me as (select oid, rolname as name, rolsuper, rolbypassrls, rolcreaterole, rolinherit
              from pg_roles where rolname = session_user),
acts as (select rolname as name, oid from pg_roles where rolname = any ($1::text[]) or rolname = 'anon'),
others as (
  -- Roles it can become that are none of those, nor those they are members of.
  select r.rolname as name
    from pg_roles r, me
   where not me.rolsuper and r.oid <> me.oid and pg_has_role(me.oid, r.oid, 'member')
     and not exists (select from acts a where pg_has_role(a.oid, r.oid, 'member'))),
owned as (
  select c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, me
   where (n.nspname = 'pgcrew' or (n.nspname = 'public' and c.relname = 'jobs')) and c.relkind = 'r'
     and c.relowner = me.oid)
select 'error' as level, format('the gateway''s login %s is a superuser', name) as finding,
       'give the gateway a login of its own: see The login in pgcrew-gateway(7)' as fix
  from me where rolsuper
union all
select 'error', format('row level security does not hold for the gateway''s login %s (BYPASSRLS)', name),
       format('alter role %I nobypassrls', name)
  from me where rolbypassrls and not rolsuper
union all
select 'error', format('the gateway''s login %s may make and change roles', name),
       format('alter role %I nocreaterole', name)
  from me where rolcreaterole and not rolsuper
union all
select 'error', format('the gateway''s login %s can also become %s', me.name, string_agg(others.name, ', ')),
       format('revoke %s from %I', string_agg(quote_ident(others.name), ', '), me.name)
  from me, others group by me.name
union all
select 'error', format('the gateway''s login %s owns tables of pgcrew: %s', me.name, string_agg(owned.name, ', ')),
       'let the role own them that owns the tables of your application'
  from me, owned group by me.name
union all
select 'warn', format('the gateway''s login %s has the rights of its roles without becoming them', name),
       format('alter role %I noinherit', name)
  from me where rolinherit and not rolsuper
     and exists (select from pg_roles r where r.oid <> me.oid and pg_has_role(me.oid, r.oid, 'member'))
union all
select 'error', format('the gateway''s login %s cannot become %s', me.name, wanted.name),
       case when to_regrole(quote_ident(wanted.name)) is null
            then format('there is no role %s: see gateway.roles', wanted.name)
            else format('grant %I to %I', wanted.name, me.name) end
  from me, unnest($1::text[]) as wanted (name)
 where to_regrole(quote_ident(wanted.name)) is null
    or not pg_has_role(me.oid, to_regrole(quote_ident(wanted.name)), 'member');
