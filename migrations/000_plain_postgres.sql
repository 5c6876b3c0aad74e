-- pgcrew on plain PostgreSQL: the few names a Supabase database already has.
--
-- Run by the owner of the database, who may create roles (no superuser needed).
-- Safe to run again.  On Supabase it only writes down that it ran.
-- Comes before 004_create_jobs_table.sql, which needs every name made here.

do $do$
begin
  -- Two migrations at once would race on "if not exists": one waits here.
  perform pg_advisory_xact_lock(1885823858, 0);
  if to_regclass('public.jobs') is not null
     and coalesce(obj_description(to_regclass('public.jobs'), 'pg_class'), '') not like 'pgcrew %' then
    raise exception 'public.jobs already exists and was not made by pgcrew: rename it first (nothing has been changed)'
      using errcode = '42P07';
  end if;
end
$do$;

do $do$
begin
  if to_regrole('supabase_auth_admin') is not null then
    raise notice 'this is a Supabase database: it has the roles and auth functions already';
    return;
  end if;

  if to_regrole('anon') is null then
    create role anon nologin;
  end if;
  if to_regrole('authenticated') is null then
    create role authenticated nologin;
  end if;
  if to_regrole('service_role') is null then
    create role service_role nologin;
    begin
      alter role service_role bypassrls;
    exception when insufficient_privilege then
      -- Before PostgreSQL 16 only a superuser can; our policies name service_role anyway.
      raise notice 'service_role is subject to row level security here; pgcrew has policies for it';
    end;
  end if;

  create schema if not exists auth;
  grant usage on schema auth to anon, authenticated, service_role;
  grant usage on schema public to anon, authenticated, service_role;

  -- Whoever checks the token (a gateway, PostgREST) sets request.jwt.claims for one
  -- transaction.  Afterwards a pooled connection has '' there, not null.  A SET on these
  -- functions would keep them from being inlined: 2 us for every row of a bulk insert.
  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb language sql stable as
      $f$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb $f$;
  end if;
  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid language sql stable as
      $f$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $f$;
  end if;
  if to_regprocedure('auth.role()') is null then
    create function auth.role() returns text language sql stable as
      $f$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' $f$;
  end if;
end
$do$;

create schema if not exists pgcrew;

create table if not exists pgcrew.migrations (
  version    int primary key,
  file       text not null,
  applied_at timestamptz not null default now()
);
alter table pgcrew.migrations enable row level security;

insert into pgcrew.migrations (version, file) values (0, '000_plain_postgres.sql')
on conflict (version) do nothing;
