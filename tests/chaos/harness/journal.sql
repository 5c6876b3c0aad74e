-- The test's own ledger inside of the database: what became of claims and of jobs, written
-- in the transaction that did it.  Nothing of pgcrew knows of it.
create schema chaos;
grant usage on schema chaos to pgcrew_worker;

-- what: taken, moved (another holder), shrunk, left.  did: pgcrew's function that was called.
create table chaos.leases (
  n bigint generated always as identity, at timestamptz not null, xid bigint not null,
  what text not null, did text, token bigint not null, holder bigint not null, jobs bigint[] not null);
-- What came before what, whatever the clock says.
create sequence chaos.moment;
-- A job that has ended, or that begins anew after it had.
create table chaos.ends (
  n bigint not null default nextval('chaos.moment'), at timestamptz not null, xid bigint not null,
  job bigint not null, status text not null, was text not null, attempts int not null);
-- A job that has got its unique key.
create table chaos.keys (
  n bigint not null default nextval('chaos.moment'), job bigint not null, key text not null);
-- Holders that are gone, and whether their lease was over.
create table chaos.holders (
  n bigint generated always as identity, at timestamptz not null, xid bigint not null,
  holder bigint not null, pid int not null, name text not null, did text, overdue boolean not null);
-- The effects of jobs whose handler is a function of the database.
create table chaos.effects (
  n bigint generated always as identity, at timestamptz not null, xid bigint not null,
  job bigint not null, attempt int not null);

-- What the ledger takes for the time; a world whose server has a wrong clock has its own.
create function chaos.now() returns timestamptz language sql volatile as 'select clock_timestamp()';

-- The outermost of pgcrew's functions in a call stack.
create function chaos.caller(context text) returns text language sql immutable as $fn$
  select (regexp_match(context, '.*function pgcrew\.(\w+)\('))[1]
$fn$;

create function chaos.note_lease() returns trigger
language plpgsql security definer set search_path = '' as $fn$
declare
  v_context text;
begin
  get diagnostics v_context = pg_context;
  insert into chaos.leases (at, xid, what, did, token, holder, jobs)
  select chaos.now(), txid_current(), x.what, chaos.caller(v_context), x.token, x.holder, x.jobs
    from (select 'taken' as what, new.token, new.holder, new.job_ids as jobs where tg_op = 'INSERT'
          union all
          select 'left', old.token, old.holder, old.job_ids where tg_op = 'DELETE'
          union all
          select 'moved', old.token, new.holder, new.job_ids where tg_op = 'UPDATE' and new.holder <> old.holder
          union all
          select 'shrunk', old.token, old.holder,
                 array(select unnest(old.job_ids) except select unnest(new.job_ids))
           where tg_op = 'UPDATE' and new.job_ids <> old.job_ids) x;
  return null;
end
$fn$;

create function chaos.note_end() returns trigger
language plpgsql security definer set search_path = '' as $fn$
begin
  insert into chaos.ends (at, xid, job, status, was, attempts)
  values (chaos.now(), txid_current(), new.id, new.status, old.status, new.attempts);
  return null;
end
$fn$;

create function chaos.note_keys() returns trigger
language plpgsql security definer set search_path = '' as $fn$
begin
  insert into chaos.keys (job, key) select j.id, j.unique_key from new_jobs j where j.unique_key is not null;
  return null;
end
$fn$;

create function chaos.note_holder() returns trigger
language plpgsql security definer set search_path = '' as $fn$
declare
  v_context text;
begin
  get diagnostics v_context = pg_context;
  insert into chaos.holders (at, xid, holder, pid, name, did, overdue)
  values (chaos.now(), txid_current(), old.holder, old.pid, old.name, chaos.caller(v_context),
          old.seen_at + old.lease < clock_timestamp());
  return null;
end
$fn$;

create trigger chaos_lease after insert or update or delete on pgcrew.claims
  for each row execute function chaos.note_lease();
create trigger chaos_end after update of status on public.jobs
  for each row when (new.status in ('succeeded', 'failed', 'cancelled')
                     or old.status in ('succeeded', 'failed', 'cancelled'))
  execute function chaos.note_end();
-- The name says when: after the trigger of pgcrew that has taken the keys.
create trigger z_chaos_keys after insert on public.jobs referencing new table as new_jobs
  for each statement execute function chaos.note_keys();
create trigger chaos_holder after delete on pgcrew.workers
  for each row execute function chaos.note_holder();

-- The handler of the kind `record`: fails by lot, and has exactly one effect if it does not.
create function chaos.record(payload jsonb) returns jsonb
language plpgsql security definer set search_path = '' as $fn$
begin
  insert into chaos.effects (at, xid, job, attempt)
  values (chaos.now(), txid_current(), current_setting('pgcrew.job_id')::bigint,
          current_setting('pgcrew.attempt')::int);
  perform pg_sleep(random() * 0.1);
  if random() < 0.1 then
    raise exception 'failed by lot';
  elsif random() < 0.05 then
    raise exception 'not now' using errcode = 'PC075';
  elsif random() < 0.02 then
    raise exception 'never by lot' using errcode = 'PC065';
  end if;
  return '{"recorded": true}';
end
$fn$;
revoke execute on function chaos.record(jsonb) from public;
grant execute on function chaos.record(jsonb) to pgcrew_worker;

-- Cancel what the daemons ask, several times in a row: how many were hit.
create function chaos.cancel_all(times int, pause_s real) returns bigint language plpgsql as $fn$
declare
  v_hit bigint := 0;
begin
  for i in 1 .. times loop
    perform pg_stat_clear_snapshot();
    v_hit := v_hit + (select count(*) filter (where pg_cancel_backend(pid)) from pg_stat_get_activity(null)
                       where state = 'active' and usesysid = 'pgcrew_worker'::regrole);
    perform pg_sleep(pause_s);
  end loop;
  return v_hit;
end
$fn$;

-- A worker comes back from the dead and ends attempts whose claim it has lost: how many it tried.
-- Whatever of that is believed is for the checker to see.  Waits a little for such attempts.
create function chaos.ghosts(wanted int) returns int language plpgsql as $fn$
declare
  v_tries int := 0;
  old     record;
begin
  for v_round in 1 .. 50 loop
    for old in
      select l.token, l.holder, u.job
        from chaos.leases l, unnest(l.jobs) u (job), public.jobs j
       where l.what in ('left', 'shrunk') and l.at > clock_timestamp() - interval '20 s'
         and j.id = u.job and j.status in ('queued', 'running')
       order by random() limit wanted
    loop
      perform pgcrew.finish(old.holder, old.token, array[old.job],
                            array[(array['succeeded', 'succeeded', 'release', 'retry'])[1 + floor(random() * 4)::int]],
                            array[1], array[0::bigint], null, null, null, null, null, null);
      v_tries := v_tries + 1;
    end loop;
    exit when v_tries >= wanted;
    perform pg_sleep(0.03);
  end loop;
  return v_tries;
end
$fn$;
