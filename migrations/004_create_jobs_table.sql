-- pgcrew: the tables, who may see them, and what a browser may call.
--
-- The same file for the Supabase SQL editor (paste and run), `supabase db push`,
-- `pgcrew migrate` and psql.  On plain PostgreSQL run 000_plain_postgres.sql first.
-- Safe to run again.  The protocol the workers speak is in 005_queue_functions.sql.
--
-- A released migration is never edited: what is wrong here is put right by the next
-- number.  A new table needs row level security, its revokes and its grants in the
-- file that makes it: old Supabase projects grant everything on it, new ones nothing.

-- 1. roles -----------------------------------------------------------------------

do $do$
declare
  needed text;
begin
  -- Two migrations at once would race on "if not exists": one waits here.
  perform pg_advisory_xact_lock(1885823858, 0);

  -- "create table if not exists" would take anybody's table for ours.
  if to_regclass('public.jobs') is not null
     and coalesce(obj_description(to_regclass('public.jobs'), 'pg_class'), '') not like 'pgcrew %' then
    raise exception 'public.jobs already exists and was not made by pgcrew: rename it first (nothing has been changed)'
      using errcode = '42P07';
  end if;

  foreach needed in array array['anon', 'authenticated', 'service_role'] loop
    if to_regrole(needed) is null then
      raise exception 'role % is missing: run 000_plain_postgres.sql first', needed
        using errcode = '42704';
    end if;
  end loop;
  if to_regprocedure('auth.uid()') is null then
    raise exception 'auth.uid() is missing: run 000_plain_postgres.sql first'
      using errcode = '42883';
  end if;

  -- Logins get their password later, outside any migration: the text of a
  -- migration is kept in the database and in editor histories.
  if to_regrole('pgcrew_worker') is null then
    create role pgcrew_worker nologin inherit;
  end if;
  if to_regrole('pgcrew_gateway') is null then
    create role pgcrew_gateway nologin noinherit;
  end if;
  if not pg_has_role('pgcrew_gateway', 'authenticated', 'member') then
    grant authenticated to pgcrew_gateway;
  end if;
end
$do$;

create schema if not exists pgcrew;
revoke all on schema pgcrew from public, anon, authenticated;
grant usage on schema pgcrew to pgcrew_worker, service_role;

-- 2. jobs ------------------------------------------------------------------------

-- A job and its state, for people and applications.  What may be claimed is in
-- pgcrew.ready; what is being worked on is in pgcrew.claims.
--
-- No index here may name a column that changes, not even in a predicate: then every
-- change of state is a HOT update.  The fillfactor leaves room for all jobs of a page to end
-- in one transaction, a little longer than they were: at 50 every sixth update had no room,
-- and the table grew larger than it is with 45.  And a CHECK is read and compiled anew for
-- every statement that writes here: what never changes is checked at the insert, by
-- jobs_enter.
create table if not exists public.jobs (
  id            bigint generated always as identity (maxvalue 17592186044415) primary key, -- see pgcrew.place
  batch_id      uuid,
  user_id       uuid default auth.uid(),           -- null: nobody's, seen by the service only
  queue         text not null default 'default',   -- 1 to 100 characters
  kind          text not null,                     -- the same
  payload       jsonb not null default '{}',
  status        text not null default 'queued'
                check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  priority      smallint not null default 0,       -- 0 to 9, 9 is first
  progress      real not null default 0 check (progress between 0 and 100),
  progress_note text,
  result        jsonb,
  error         text,
  attempts      smallint not null default 0,       -- that ended and were charged
  max_attempts  smallint not null default 5,       -- at least 1
  unique_key    text,
  run_at        timestamptz not null default now(),
  created_at    timestamptz not null default now(),
  started_at    timestamptz,
  finished_at   timestamptz
) with (fillfactor = 45);
-- Statistics from the day of the first batch must not say that a batch is all jobs:
-- batch_status would look for it among all of a user.
alter table public.jobs alter column batch_id set (n_distinct = -0.01);
alter table public.jobs enable row level security;

do $do$
begin
  -- From here on the table is known as ours, whatever fails below.
  if obj_description('public.jobs'::regclass, 'pg_class') is null then
    comment on table public.jobs is 'pgcrew job queue; schema version 0';
  end if;
end
$do$;

-- user_id is in it because the row level security predicate is part of every query
-- for a batch.
create index if not exists jobs_batch_idx on public.jobs (batch_id, user_id, id)
  where batch_id is not null;
create index if not exists jobs_user_idx on public.jobs (user_id, id)
  where user_id is not null;

-- 3. what moves while a job lives ------------------------------------------------

create table if not exists pgcrew.migrations (
  version    int primary key,
  file       text not null,
  applied_at timestamptz not null default now()
);
alter table pgcrew.migrations enable row level security;

-- A queue has a number from its first job or worker on.  While it is paused nothing is
-- claimed from it: the index is what a claim looks at, and nearly always empty.
create table if not exists pgcrew.queues (
  number    smallint generated always as identity primary key,
  queue     text not null unique check (length(queue) between 1 and 100),
  paused_at timestamptz,
  paused_by text
);
alter table pgcrew.queues enable row level security;
create index if not exists queues_paused_idx on pgcrew.queues (number) where paused_at is not null;

-- Where a job stands: number of the queue, 9 - priority, id, in 15, 4 and 44 bits.  One
-- number is compared in a fraction of the time that a text and two numbers take, and a
-- claim looks at a page of them.
create or replace function pgcrew.place(p_number int, p_priority int, p_id bigint) returns bigint
language sql immutable as
$fn$ select (p_number::bigint << 48) | ((9 - p_priority)::bigint << 44) | p_id $fn$;

-- A job that may be claimed now.  Rows are inserted and deleted, never updated:
-- "skip locked" would follow the update and claim a row twice.  The place is the order in
-- which jobs are claimed; where to start in it is a hint, no promise: the order of ids is
-- not the order of the commits.
create table if not exists pgcrew.ready (
  place   bigint primary key,
  job_id  bigint not null,
  user_id uuid,
  queue   text not null,
  kind    text not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
alter table pgcrew.ready enable row level security;
create index if not exists ready_user_idx on pgcrew.ready (user_id) where user_id is not null;

-- A job that may be claimed later: a delay asked for, or the wait before a retry.
create table if not exists pgcrew.scheduled (
  job_id   bigint primary key,
  run_at   timestamptz not null,
  priority smallint not null,
  user_id  uuid,
  queue    text not null,
  kind     text not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
alter table pgcrew.scheduled enable row level security;
create index if not exists scheduled_due_idx on pgcrew.scheduled (run_at);
create index if not exists scheduled_user_idx on pgcrew.scheduled (user_id) where user_id is not null;

-- One claim of a worker: several jobs under one token.  The row is the fence: who
-- cannot take (token, holder) away cannot change any of these jobs.
create table if not exists pgcrew.claims (
  token      bigint generated always as identity primary key,
  holder     bigint not null,
  claimed_at timestamptz not null default clock_timestamp(),
  job_ids    bigint[] not null
  -- A thousand ids stay in the row as they are: to compress them cost a quarter of a claim.
) with (toast_tuple_target = 8160, fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
alter table pgcrew.claims enable row level security;
create index if not exists claims_holder_idx on pgcrew.claims (holder);

-- A lease holder: one connection of one worker process.
create table if not exists pgcrew.workers (
  holder     bigint generated always as identity primary key,
  process    uuid not null,
  name       text not null,                       -- of the host's daemon
  slot       int not null,
  pid        int not null,
  version    text not null,
  queues     text[] not null,
  kinds      text[],                              -- null: any
  slots      int not null,                        -- handlers at once
  lease      interval not null,
  idle       boolean not null default false,      -- its last claim found less than it wanted
  started_at timestamptz not null default clock_timestamp(),
  seen_at    timestamptz not null default clock_timestamp(),
  doubted_at timestamptz                          -- not heard of for most of a lease; before seen_at: since then it was
) with (fillfactor = 30, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 500);
alter table pgcrew.workers enable row level security;
create index if not exists workers_process_idx on pgcrew.workers (process);

-- An attempt that did not succeed; others only if their kind asks for it.
create table if not exists pgcrew.attempts (
  id          bigint generated always as identity (cache 32) primary key,
  job_id      bigint not null,
  attempt     int not null,
  cause       text not null
              check (cause in ('failed', 'signal', 'timeout', 'permanent', 'tempfail', 'snoozed', 'cancelled',
                               'oom', 'limit', 'protocol', 'no_start', 'worker_died', 'host_lost', 'succeeded')),
  exit_code   int,
  signal      int,
  error       text,
  stderr_tail text,
  user_ms     int,                                -- CPU time, of the attempt and all it waited for
  system_ms   int,
  max_rss_bytes bigint,                           -- peak memory; null: not known
  holder_name text,
  started_at  timestamptz,
  finished_at timestamptz not null default clock_timestamp(),
  forgiven    boolean not null default false      -- the job was queued anew: count it no more
);
alter table pgcrew.attempts enable row level security;
create index if not exists attempts_job_idx on pgcrew.attempts (job_id);

-- A claimed job that somebody wants cancelled.
create table if not exists pgcrew.cancels (
  job_id   bigint primary key,
  asked_at timestamptz not null default clock_timestamp()
);
alter table pgcrew.cancels enable row level security;

-- A key is here as long as its job has not ended.
create table if not exists pgcrew.unique_keys (
  key    text primary key check (length(key) between 1 and 500),
  job_id bigint not null
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);
alter table pgcrew.unique_keys enable row level security;

-- What a signed-in browser may enqueue, and how much of it.  Empty: nothing.
create table if not exists pgcrew.kinds (
  kind                    text primary key,
  user_enqueue            boolean not null default true,
  queue                   text not null default 'default',
  priority                smallint not null default 0 check (priority between 0 and 9),
  max_attempts            smallint not null default 5 check (max_attempts > 0),
  max_payload_bytes       int not null default 65536,
  max_unfinished_per_user int not null default 1000,
  max_delay               interval not null default '30 days',
  keep_claims             boolean not null default false -- of the user's token, for SQL handlers as_owner
);
alter table pgcrew.kinds enable row level security;

-- What a user's token said when the job was put in, for kinds that keep it.
create table if not exists pgcrew.user_claims (
  job_id bigint primary key,
  claims jsonb not null
);
alter table pgcrew.user_claims enable row level security;

-- 4. who may do what -------------------------------------------------------------

-- Status, attempts and the like move by functions only: nobody is granted UPDATE of
-- them, or a job could be left in a state that no table of pgcrew knows about.
revoke all on table public.jobs from public, anon, authenticated, service_role, pgcrew_worker;
-- Identities need no right on their sequence; who has one could set it to its end.
revoke all on sequence public.jobs_id_seq from public, anon, authenticated, service_role, pgcrew_worker;
grant select on table public.jobs to authenticated, service_role, pgcrew_worker;
grant insert (batch_id, kind, payload, run_at) on table public.jobs to authenticated;
grant insert, delete on table public.jobs to service_role, pgcrew_worker;
grant update (payload, progress, progress_note, result, error) on table public.jobs
  to service_role, pgcrew_worker;

revoke all on table pgcrew.migrations, pgcrew.queues, pgcrew.ready, pgcrew.scheduled, pgcrew.claims, pgcrew.workers,
                    pgcrew.attempts, pgcrew.cancels, pgcrew.unique_keys, pgcrew.kinds, pgcrew.user_claims
  from public, anon, authenticated, service_role, pgcrew_worker;
grant select on table pgcrew.migrations, pgcrew.queues, pgcrew.ready, pgcrew.scheduled, pgcrew.claims, pgcrew.workers,
                      pgcrew.attempts, pgcrew.cancels, pgcrew.unique_keys, pgcrew.kinds, pgcrew.user_claims
  to service_role, pgcrew_worker;
grant insert, update, delete on table pgcrew.kinds to service_role;

do $do$
declare
  has text;
begin
  if not exists (select from pg_policies where schemaname = 'public' and tablename = 'jobs'
                    and policyname = 'jobs_select_own') then
    -- (select ...) is computed once a query, the bare call once a row.
    create policy jobs_select_own on public.jobs for select to authenticated
      using ((select auth.uid()) = user_id);
  end if;
  if not exists (select from pg_policies where schemaname = 'public' and tablename = 'jobs'
                    and policyname = 'jobs_insert_own') then
    create policy jobs_insert_own on public.jobs for insert to authenticated
      with check ((select auth.uid()) = user_id and status = 'queued');
  end if;
  if not exists (select from pg_policies where schemaname = 'public' and tablename = 'jobs'
                    and policyname = 'jobs_service_all') then
    create policy jobs_service_all on public.jobs for all to pgcrew_worker, service_role
      using (true) with check (true);
  end if;
  foreach has in array array['migrations', 'queues', 'ready', 'scheduled', 'claims', 'workers', 'attempts',
                             'cancels', 'unique_keys', 'kinds', 'user_claims'] loop
    if not exists (select from pg_policies where schemaname = 'pgcrew' and tablename = has
                      and policyname = has || '_service_read') then
      execute format('create policy %I on pgcrew.%I for select to pgcrew_worker, service_role using (true)',
                     has || '_service_read', has);
    end if;
  end loop;
  if not exists (select from pg_policies where schemaname = 'pgcrew' and tablename = 'kinds'
                    and policyname = 'kinds_service_write') then
    create policy kinds_service_write on pgcrew.kinds for all to service_role
      using (true) with check (true);
  end if;
end
$do$;

-- 5. a job comes in --------------------------------------------------------------

-- The search path of our functions names pg_temp, as the last.  Left out it is the first for
-- the names of types and tables: a caller's own "text" with a check would run as the owner.

-- Numbers of the advisory locks, all of class 1885823858 ("pgcr"): 0 migration,
-- 1 notify ready, 2 notify scheduled, 3 reap_expired.  A user's limit has class 1885823861,
-- the registration of a process 1885823862.

-- Tell the janitors that something may be claimed, if somebody waits for it.
-- A NOTIFY takes a lock of the whole database at commit, so a busy system sends none,
-- and of many who would send at once one does.
create or replace function pgcrew.wake() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
begin
  if exists (select from pgcrew.workers w where w.idle and w.seen_at + w.lease > clock_timestamp())
     and pg_try_advisory_xact_lock(1885823858, 1) then
    perform pg_notify('pgcrew', 'ready');
  end if;
end
$fn$;

-- The same for what falls due before the janitors look by themselves (2 s).
create or replace function pgcrew.wake_at(p_due timestamptz) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
begin
  if p_due <= clock_timestamp() + interval '2 s' and pg_try_advisory_xact_lock(1885823858, 2) then
    perform pg_notify('pgcrew', 'scheduled');
  end if;
end
$fn$;

-- The number of a queue; a new one for a new queue.
create or replace function pgcrew.queue_number(p_queue text) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_number int;
begin
  loop
    select q.number into v_number from pgcrew.queues q where q.queue = p_queue;
    exit when found;
    if length(p_queue) between 1 and 100 is not true then
      raise exception 'the name of a queue must have 1 to 100 characters' using errcode = '23514';
    end if;
    -- Another may be making it just now: then we wait for him, and find it.
    begin
      insert into pgcrew.queues (queue) values (p_queue) on conflict do nothing;
    exception when sequence_generator_limit_exceeded then
      raise exception 'there are 32767 queues already' using errcode = '54000',
        hint = 'a queue is for what is worked on together, not for each user or file: those have batches and kinds';
    end;
  end loop;
  return v_number;
end
$fn$;

-- Every way of inserting into jobs passes here: a plain INSERT, COPY, our functions.
create or replace function pgcrew.jobs_enter() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_now    timestamptz := clock_timestamp();
  v_due    timestamptz;
  v_plain  boolean;
  v_queue  text;
  v_last   text;
  v_number int;
  v_idle   boolean;
  v_keys   bigint;
  v_taken  text;
  v_wrong  text;
begin
  -- The common case, good jobs of one queue that may be claimed at once, is looked at once.
  -- For a single job each call and statement more is felt.
  select bool_and(n.status = 'queued' and n.run_at <= v_now and n.unique_key is null
                  and length(n.queue) between 1 and 100 and length(n.kind) between 1 and 100
                  and n.priority between 0 and 9 and n.max_attempts > 0), min(n.queue), max(n.queue),
         (select q.number from pgcrew.queues q where q.queue = min(n.queue)),
         -- In a paused queue it is for nobody yet.
         exists (select from pgcrew.workers w where w.idle)
           and not exists (select from pgcrew.queues q where q.queue = min(n.queue) and q.paused_at is not null)
    into v_plain, v_queue, v_last, v_number, v_idle from new_jobs n;
  if v_plain and v_queue = v_last then
    v_number := coalesce(v_number, pgcrew.queue_number(v_queue));
    insert into pgcrew.ready (place, job_id, user_id, queue, kind)
    select pgcrew.place(v_number, n.priority, n.id), n.id, n.user_id, n.queue, n.kind from new_jobs n;
    if v_idle then
      perform pgcrew.wake();
    end if;
    return null;
  elsif v_plain is null then
    return null;
  end if;

  select x.wrong into v_wrong
    from (select case when length(n.queue) not between 1 and 100 then 'queue must have 1 to 100 characters'
                      when length(n.kind) not between 1 and 100 then 'kind must have 1 to 100 characters'
                      when n.priority not between 0 and 9 then format('priority must be 0 to 9, not %s', n.priority)
                      when n.max_attempts <= 0 then format('max_attempts must be at least 1, not %s', n.max_attempts)
                  end as wrong
            from new_jobs n) x
   where x.wrong is not null limit 1;
  if found then
    raise exception '%', v_wrong using errcode = '23514', schema = 'public', table = 'jobs';
  end if;
  if exists (select from new_jobs n where n.status = 'running') then
    raise exception 'a job cannot be inserted as running: nobody would hold it' using errcode = '22023';
  end if;

  select count(*) filter (where n.unique_key is not null), min(n.run_at) filter (where n.run_at > v_now)
    into v_keys, v_due
    from new_jobs n where n.status = 'queued';

  if v_keys > 0 then
    -- In the order of the keys, so that two inserts wait for each other one way only.
    with kept as (
      insert into pgcrew.unique_keys (key, job_id)
      select n.unique_key, n.id from new_jobs n
       where n.status = 'queued' and n.unique_key is not null
       order by n.unique_key
      on conflict (key) do nothing
      returning job_id)
    select min(n.unique_key) into v_taken from new_jobs n
     where n.status = 'queued' and n.unique_key is not null
       and n.id not in (select kept.job_id from kept);
    if v_taken is not null then
      raise exception 'another unfinished job has the unique key "%"', v_taken
        using errcode = '23505', constraint = 'unique_keys_pkey', schema = 'pgcrew', table = 'unique_keys';
    end if;
  end if;

  perform pgcrew.queue_number(x.queue)
     from (select distinct n.queue from new_jobs n where n.status = 'queued' order by 1) x;
  insert into pgcrew.ready (place, job_id, user_id, queue, kind)
  select pgcrew.place(q.number, n.priority, n.id), n.id, n.user_id, n.queue, n.kind
    from new_jobs n join pgcrew.queues q on q.queue = n.queue
   where n.status = 'queued' and n.run_at <= v_now;
  if found then
    perform pgcrew.wake();
  end if;
  if v_due is not null then
    insert into pgcrew.scheduled (job_id, run_at, priority, user_id, queue, kind)
    select n.id, n.run_at, n.priority, n.user_id, n.queue, n.kind from new_jobs n
     where n.status = 'queued' and n.run_at > v_now;
    perform pgcrew.wake_at(v_due);
  end if;
  return null;
end
$fn$;

-- What a user puts in: an allowed kind, of a bounded size, under the kind's settings.
create or replace function pgcrew.jobs_user_row() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  k       pgcrew.kinds;
  v_bytes int;
begin
  if new.user_id is null then
    raise exception 'not signed in' using errcode = '42501';
  end if;
  select * into k from pgcrew.kinds x where x.kind = new.kind and x.user_enqueue;
  if not found then
    raise exception 'job kind "%" cannot be enqueued by users', new.kind
      using errcode = '42501', hint = 'the allowed kinds are the rows of pgcrew.kinds';
  end if;
  -- A bulk insert of uneven objects sends null where one has no value.
  new.payload := coalesce(new.payload, '{}');
  new.run_at := coalesce(new.run_at, now());
  v_bytes := octet_length(new.payload::text);
  if v_bytes > k.max_payload_bytes then
    raise exception 'payload too large' using errcode = 'PT413',
      detail = format('%s bytes, at most %s', v_bytes, k.max_payload_bytes);
  end if;
  if new.run_at > now() + k.max_delay then
    raise exception 'run_at is too far in the future' using errcode = '22023',
      detail = format('at most %s from now', k.max_delay);
  end if;
  new.queue := k.queue;
  new.priority := k.priority;
  new.max_attempts := k.max_attempts;
  if k.keep_claims then
    insert into pgcrew.user_claims (job_id, claims)
    select new.id, nullif(current_setting('request.jwt.claims', true), '')::jsonb
     where nullif(current_setting('request.jwt.claims', true), '') is not null;
  end if;
  return new;
end
$fn$;

-- How many unfinished jobs a user may have.
create or replace function pgcrew.jobs_user_limit() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_user  uuid;
  v_limit bigint;
  v_count bigint;
begin
  for v_user, v_limit in
    select n.user_id, min(k.max_unfinished_per_user)
      from new_jobs n join pgcrew.kinds k on k.kind = n.kind
     group by n.user_id order by n.user_id
  loop
    -- One enqueue of a user at a time, or two tabs would both slip under the limit.
    perform pg_advisory_xact_lock(1885823861, hashtext(v_user::text));
    select (select count(*) from pgcrew.ready r where r.user_id = v_user)
         + (select count(*) from pgcrew.scheduled s where s.user_id = v_user)
         + (select count(*) from pgcrew.claims c, unnest(c.job_ids) h(id), public.jobs j
             where j.id = h.id and j.user_id = v_user)
      into v_count;
    if v_count > v_limit then
      raise exception 'too many unfinished jobs' using errcode = 'PT429',
        detail = format('%s with these, at most %s', v_count, v_limit),
        hint = 'wait for some to finish';
    end if;
  end loop;
  return null;
end
$fn$;

-- A deleted job leaves nothing behind.  If it is claimed just now, its worker finds
-- at the end that the job is not its own any more.
create or replace function pgcrew.jobs_leave() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
begin
  -- Before what is ready is looked up: if it is promoted just now, this waits for that.
  delete from pgcrew.scheduled x using old_jobs o where x.job_id = o.id;
  with g1 as (delete from pgcrew.ready x using old_jobs o, pgcrew.queues q
               where q.queue = o.queue and x.place = pgcrew.place(q.number, o.priority, o.id)),
       g2 as (delete from pgcrew.cancels x using old_jobs o where x.job_id = o.id),
       g3 as (delete from pgcrew.attempts x using old_jobs o where x.job_id = o.id),
       g4 as (delete from pgcrew.user_claims x using old_jobs o where x.job_id = o.id)
  delete from pgcrew.unique_keys x using old_jobs o
   where o.unique_key is not null and x.key = o.unique_key and x.job_id = o.id;
  return null;
end
$fn$;

create or replace function pgcrew.jobs_truncated() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
begin
  truncate pgcrew.ready, pgcrew.scheduled, pgcrew.claims, pgcrew.attempts, pgcrew.cancels, pgcrew.unique_keys,
           pgcrew.user_claims;
  return null;
end
$fn$;

-- The conditions are evaluated as the caller: the limits are for everybody who is
-- subject to row level security and is not the service.
create or replace trigger jobs_user_row before insert on public.jobs
  for each row when (current_user not in ('pgcrew_worker', 'service_role')
                     and row_security_active('public.jobs'::regclass::oid))
  execute function pgcrew.jobs_user_row();
create or replace trigger jobs_enter after insert on public.jobs
  referencing new table as new_jobs for each statement
  execute function pgcrew.jobs_enter();
-- Triggers go by name: the limit counts what jobs_enter has let in.
create or replace trigger jobs_user_limit after insert on public.jobs
  referencing new table as new_jobs for each statement
  when (current_user not in ('pgcrew_worker', 'service_role')
        and row_security_active('public.jobs'::regclass::oid))
  execute function pgcrew.jobs_user_limit();
create or replace trigger jobs_leave after delete on public.jobs
  referencing old table as old_jobs for each statement
  execute function pgcrew.jobs_leave();
create or replace trigger jobs_truncated after truncate on public.jobs
  for each statement execute function pgcrew.jobs_truncated();

-- 6. what a browser calls (supabase.rpc or a gateway) ----------------------------

-- Many jobs of one kind as one batch.
create or replace function public.enqueue_jobs(kind text, payloads jsonb, batch_id uuid default null)
returns jsonb language plpgsql volatile security invoker set search_path = pg_catalog, pg_temp as $fn$
declare
  v_batch uuid := coalesce(enqueue_jobs.batch_id, gen_random_uuid());
  v_ids   jsonb;
begin
  if jsonb_typeof(payloads) is distinct from 'array' or jsonb_array_length(payloads) not between 1 and 1000 then
    raise exception 'payloads must be an array of 1 to 1000 elements' using errcode = '22023';
  end if;
  with put as (
    insert into public.jobs (batch_id, kind, payload)
    select v_batch, enqueue_jobs.kind, e.payload
      from jsonb_array_elements(payloads) with ordinality e(payload, nth) order by e.nth
    returning id)
  select jsonb_agg(put.id) into v_ids from put;
  return jsonb_build_object('batch_id', v_batch, 'job_ids', v_ids, 'total', jsonb_array_length(v_ids));
end
$fn$;

-- How far a batch is, as far as the caller may see it.  "No such batch" and
-- "somebody else's batch" get the same answer on purpose.
create or replace function public.batch_status(batch_id uuid, job_limit int default 100)
returns jsonb language plpgsql stable security invoker
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off as $fn$
declare
  s       record;
  v_limit int := least(greatest(coalesce(job_limit, 100), 0), 1000);
  v_jobs  jsonb := '[]';
begin
  -- A batch of 100,000 is read in full here, so each term counts: no GROUP BY, and the
  -- sum only of what runs.  The rest is derived.
  select c.*, c.total - c.queued - c.running - c.failed - c.cancelled as succeeded,
         100 * (c.total - c.queued - c.running) + coalesce(c.shares, 0) as points
    into s
    from (select count(*) as total,
                 count(*) filter (where j.status = 'queued') as queued,
                 count(*) filter (where j.status = 'running') as running,
                 count(*) filter (where j.status = 'failed') as failed,
                 count(*) filter (where j.status = 'cancelled') as cancelled,
                 sum(j.progress::numeric) filter (where j.status = 'running') as shares,
                 min(j.created_at) as created_at, min(j.started_at) as started_at,
                 max(j.finished_at) as finished_at
            from public.jobs j where j.batch_id = batch_status.batch_id) c;
  if s.total = 0 then
    raise exception 'Job not found' using errcode = 'PT404',
      detail = 'no job of this batch is visible to this user',
      hint = 'check that the access token belongs to the user who created the batch';
  end if;

  if v_limit > 0 then
    select jsonb_agg(to_jsonb(x) order by x.id) into v_jobs from (
      select j.id, j.kind, j.status, round(j.progress::numeric, 1) as progress, j.progress_note,
             j.attempts, j.max_attempts, j.error, j.result, j.run_at, j.created_at, j.started_at, j.finished_at
        from public.jobs j
        -- "offset 0", or the order might be had by walking over all jobs by id.  With a user,
        -- the index of the batch has it, and no more is read than is wanted.
       where j.id = any (array(select i.id from (select b.id from public.jobs b
                                                  where b.batch_id = batch_status.batch_id order by b.id offset 0) i
                                order by i.id limit v_limit))
       order by j.id limit v_limit) x;
  end if;

  return jsonb_build_object(
    'batch_id', batch_status.batch_id,
    'status', case when s.queued = s.total then 'queued'
                   when s.queued + s.running > 0
                   then case when s.running + s.succeeded + s.failed > 0 then 'running' else 'queued' end
                   when s.failed > 0 then 'failed'
                   when s.succeeded > 0 then 'succeeded'
                   else 'cancelled' end,
    'done', s.queued + s.running = 0,
    'total', s.total, 'queued', s.queued, 'running', s.running,
    'succeeded', s.succeeded, 'failed', s.failed, 'cancelled', s.cancelled,
    'percent', round(s.points / s.total, 1),
    -- As long again for each point as it took so far.
    'eta_seconds', case when s.queued + s.running > 0 and s.points > 0 and s.started_at is not null
                        then round(extract(epoch from clock_timestamp() - s.started_at)
                                   * (s.total * 100 - s.points) / s.points) end,
    'created_at', s.created_at, 'started_at', s.started_at,
    'finished_at', case when s.queued + s.running = 0 then s.finished_at end,
    'jobs', v_jobs, 'jobs_truncated', s.total > v_limit);
end
$fn$;

-- Cancel what is left of the caller's own batch: the number of jobs cancelled or asked to stop.
create or replace function public.cancel_batch(batch_id uuid)
returns int language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_user uuid := auth.uid();
  v_ids  bigint[];
begin
  if v_user is null then
    raise exception 'not signed in' using errcode = '42501';
  end if;
  select array_agg(j.id order by j.id) into v_ids from public.jobs j
   where j.batch_id = cancel_batch.batch_id and j.user_id = v_user and j.status in ('queued', 'running');
  return (select count(*) from pgcrew.cancel_jobs(v_ids) c where c.what in ('cancelled', 'asked'));
end
$fn$;

revoke all on function public.enqueue_jobs(text, jsonb, uuid), public.batch_status(uuid, int),
                       public.cancel_batch(uuid)
  from public, anon, authenticated, service_role;
revoke all on all functions in schema pgcrew from public, anon, authenticated;
grant execute on function public.enqueue_jobs(text, jsonb, uuid) to authenticated, service_role;
grant execute on function public.batch_status(uuid, int) to authenticated, service_role, pgcrew_worker;
grant execute on function public.cancel_batch(uuid) to authenticated;

-- 7. say so ----------------------------------------------------------------------

insert into pgcrew.migrations (version, file) values (4, '004_create_jobs_table.sql')
on conflict (version) do nothing;

-- Any role can read a comment: that is how a daemon knows the version before it has rights.
do $do$
begin
  execute format('comment on table public.jobs is %L',
                 'pgcrew job queue; schema version ' || (select max(version) from pgcrew.migrations));
end
$do$;

notify pgrst, 'reload schema';
