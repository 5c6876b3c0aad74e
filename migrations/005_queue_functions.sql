-- pgcrew: the protocol between workers and the queue.
--
-- A job's id is in exactly one of ready, scheduled and claims until it ends; it moves
-- between them inside one transaction.  Everything here is for READ COMMITTED.
--
-- The order in which rows are locked, everywhere: workers, claims (by token), jobs.
-- Rows of ready and scheduled are only taken by deleting them.
--
-- Hot functions pin their plans: made while the queue is empty, a plan must still be
-- right with ten million rows in it, and "limit $n" must not be planned at each call.
--
-- Adding a function?  Revoke and grant it in section 8, and say in its comment what a
-- caller may rely on.  A released migration is never edited: write the next one.

do $do$
begin
  perform pg_advisory_xact_lock(1885823858, 0);
  if to_regclass('pgcrew.migrations') is null
     or not exists (select from pgcrew.migrations where version = 4) then
    raise exception 'run 004_create_jobs_table.sql first' using errcode = '42P01';
  end if;
end
$do$;

-- 1. lease holders ---------------------------------------------------------------

-- Lock all claims of these holders: a helper of those who take them away.
create or replace function pgcrew.lock_claims(p_holders bigint[]) returns bigint[]
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
begin
  -- "+ 0", or the order might be had by reading everybody's claims by token.
  return array(select c.token from pgcrew.claims c
                where c.holder = any (p_holders) order by c.token + 0 for update);
end
$fn$;

-- A worker process has a new connection: it gets a new holder.  What it claimed over an
-- earlier connection comes with it; over that connection nothing can be finished any more.
create or replace function pgcrew.register_worker(
  p_process uuid, p_name text, p_slot int, p_pid int, p_version text,
  p_queues text[], p_kinds text[], p_slots int, p_lease_ms int)
returns table (holder bigint, tokens bigint[], origin text, numbers bigint[])
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '5s' as $fn$
#variable_conflict use_column
declare
  v_old    bigint[];
  v_holder bigint;
  v_tokens bigint[];
begin
  -- An earlier registration of ours may be under way, whose connection was lost: its row
  -- could not be seen, and the claims that it took over would be nobody's.
  perform pg_advisory_xact_lock(1885823862, hashtext(p_process::text));
  -- Waits for a claim still under way on the old connection, so that none comes later.
  with gone as (delete from pgcrew.workers w where w.process = p_process returning w.holder)
  select array_agg(gone.holder) into v_old from gone;

  insert into pgcrew.workers (process, name, slot, pid, version, queues, kinds, slots, lease)
  values (p_process, p_name, p_slot, p_pid, p_version, p_queues, p_kinds, p_slots,
          p_lease_ms * interval '1 ms')
  returning workers.holder into v_holder;

  if v_old is not null then
    v_tokens := pgcrew.lock_claims(v_old);
    with moved as (
      update pgcrew.claims c set holder = v_holder where c.token = any (v_tokens) returning c.token)
    select array_agg(moved.token order by moved.token) into v_tokens from moved;
  end if;
  -- Origin: when this queue was made, a name that no other has.  Numbers: of p_queues.
  return query select v_holder, coalesce(v_tokens, '{}'),
                      (select to_hex((extract(epoch from m.applied_at) * 1000000)::bigint)
                         from pgcrew.migrations m where m.version = 4),
                      array(select pgcrew.queue_number(q)::bigint
                              from unnest(p_queues) with ordinality u (q, nth) order by u.nth);
end
$fn$;

-- Keep the leases of these processes.  A process that does not come back has been
-- reaped: its worker must stop.  A row that is locked just now (a claim under way) is
-- not waited for: one stuck connection must not cost a whole host its leases.
create or replace function pgcrew.heartbeat(p_processes uuid[])
returns table (process uuid, cancels bigint[])
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
begin
  update pgcrew.workers w set seen_at = clock_timestamp()
   where w.holder = any (array(select x.holder from pgcrew.workers x where x.process = any (p_processes)
                                  for no key update skip locked));
  return query
  select w.process,
         array(select x.job_id from pgcrew.cancels x
                where exists (select from pgcrew.claims c where c.holder = w.holder and x.job_id = any (c.job_ids)))
    from pgcrew.workers w where w.process = any (p_processes);
end
$fn$;

-- 2. claim -----------------------------------------------------------------------

-- Take up to p_want jobs.  Where it looks, in this order: ranges of pgcrew.place.  The caller
-- remembers where its last claim ended and asks from there, so that the dead index entries
-- of what was taken before are not walked again; what came in below (committed late, given
-- back, due only now) is found by asking from the start of a queue now and then.  A range is
-- of one queue; when that is paused, it is passed over.
--
-- p_kinds: only these; p_without: any but these.  An answer of less than was wanted sets the
-- worker's idle flag: from then on an enqueue sends a NOTIFY.  p_stay_idle: it waits for other
-- kinds, too, and stays idle whatever this call finds.
-- What was inserted just before the flag could be seen is found by claiming once more.
create or replace function pgcrew.claim(
  p_holder bigint, p_first bigint[], p_last bigint[], p_kinds text[], p_want int,
  p_without text[] default null, p_stay_idle boolean default false)
returns table (token bigint, job_id bigint, queue text, priority smallint, kind text, payload text, attempt int,
               max_attempts int, batch_id uuid, user_id uuid, tempfails int, waited_us bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_idle  boolean;
  v_ids   bigint[];
  v_token bigint;
  v_found int := 0;
  v_now   timestamptz := clock_timestamp();
begin
  -- The lock keeps the row until our claim can be seen: who reaps this holder
  -- deletes it first, so that no claim slips in behind the reaping.
  select w.idle into v_idle from pgcrew.workers w where w.holder = p_holder for key share;
  if not found then
    raise exception 'holder % has no lease', p_holder using errcode = 'PC001';
  end if;

  with taken as (
    -- By ctid of an array: exactly the rows that were locked, by a TID scan.  The
    -- limits pull rows one by one, so no more are locked, and no further range is looked
    -- at, than it takes.
    delete from pgcrew.ready r
     where r.ctid = any (array(
             select found.tid
               from unnest(p_first, p_last) look (first, last),
                    lateral (select x.ctid as tid from pgcrew.ready x
                              where x.place >= look.first and x.place <= look.last
                                and (p_kinds is null or x.kind = any (p_kinds))
                                and (p_without is null or x.kind <> all (p_without))
                              order by x.place limit p_want for update skip locked) found
              where (look.first >> 48) <> all (array(select q.number::bigint from pgcrew.queues q
                                                      where q.paused_at is not null))
              limit p_want))
    returning r.place, r.job_id)
  -- Without the number of the queue: what has priority has it over other queues, too.
  select array_agg(t.job_id order by t.place & ((1::bigint << 48) - 1)) into v_ids from taken t;

  if v_ids is not null then
    insert into pgcrew.claims (holder, job_ids) values (p_holder, v_ids) returning claims.token into v_token;
    return query
    select v_token, j.id, j.queue, j.priority, j.kind, j.payload::text, j.attempts + 1, j.max_attempts::int,
           j.batch_id, j.user_id,
           -- No attempt, no look.
           case when j.started_at is null then 0
                else (select count(*) from pgcrew.attempts x
                       where x.job_id = j.id and x.cause = 'tempfail' and not x.forgiven) end::int,
           greatest(date_part('epoch', v_now - greatest(j.run_at, j.created_at)) * 1000000, 0)::bigint
      from unnest(v_ids) t (id),
           lateral (select * from public.jobs x
                     where x.id = t.id and x.status in ('queued', 'running') offset 0) j;
    get diagnostics v_found = row_count;
    if v_found < cardinality(v_ids) then
      perform pgcrew.drop_ended(v_token);
    end if;
  end if;

  if (v_found < p_want or p_stay_idle) <> v_idle then
    update pgcrew.workers w set idle = not v_idle where w.holder = p_holder;
  end if;
end
$fn$;

-- Jobs that were deleted or ended by other hands while they waited drop out of a claim.
create or replace function pgcrew.drop_ended(p_token bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_ids bigint[] := array(select j.id
                            from pgcrew.claims c, unnest(c.job_ids) with ordinality h (id, nth), public.jobs j
                           where c.token = p_token and j.id = h.id and j.status in ('queued', 'running')
                           order by h.nth);
begin
  if v_ids = '{}' then
    delete from pgcrew.claims c where c.token = p_token;
  else
    update pgcrew.claims c set job_ids = v_ids where c.token = p_token;
  end if;
end
$fn$;

-- 3. while a job runs ------------------------------------------------------------

-- These jobs run, and this far they are.  A short job is never reported: it goes from
-- queued to its end in one update.  Comes back with those that are not the holder's.
create or replace function pgcrew.report(
  p_holder bigint, p_tokens bigint[], p_ids bigint[], p_ran_ms int[], p_progress real[], p_notes text[])
returns table (job_id bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_now  timestamptz := clock_timestamp();
  v_ours bigint[];
begin
  -- Locked, or a reaping that commits meanwhile would be written over.
  perform from pgcrew.claims c where c.token = any (p_tokens) and c.holder = p_holder
    order by c.token for share;
  with told as (
    select t.id, t.ran_ms, t.progress, t.note
      from unnest(p_tokens, p_ids, p_ran_ms, p_progress, p_notes) t (token, id, ran_ms, progress, note)
     where exists (select from pgcrew.claims c
                    where c.token = t.token and c.holder = p_holder and t.id = any (c.job_ids))),
  marked as (
    update public.jobs j
       set status = 'running',
           started_at = coalesce(j.started_at, v_now - coalesce(t.ran_ms, 0) * interval '1 ms'),
           -- least() and greatest() pass over null: they would make 0 of "nothing new".
           progress = case when t.progress is null then j.progress else least(greatest(t.progress, 0), 100) end,
           progress_note = coalesce(t.note, j.progress_note)
      from told t
     where j.id = t.id and j.status in ('queued', 'running')
    returning j.id)
  select array_agg(m.id) into v_ours from marked m;

  return query
  select x.id from unnest(p_ids) x (id) where x.id <> all (coalesce(v_ours, '{}'));
end
$fn$;

-- 4. the end of an attempt -------------------------------------------------------

-- Results of handlers are kept as JSON if they are JSON that PostgreSQL can keep (it
-- knows no NUL, has limits to numbers and depth), else as a string.
create or replace function pgcrew.as_json(p_texts text[]) returns jsonb[]
language plpgsql immutable set search_path = pg_catalog, pg_temp as $fn$
declare
  v_all jsonb[] := '{}';
  v_one text;
begin
  begin
    return array(select t.x::jsonb from unnest(p_texts) with ordinality t (x, nth) order by t.nth);
  exception when data_exception or program_limit_exceeded then
    null;
  end;
  foreach v_one in array p_texts loop
    begin
      v_all := v_all || array[v_one::jsonb];
    exception when data_exception or program_limit_exceeded then
      v_all := v_all || array[to_jsonb(v_one)];
    end;
  end loop;
  return v_all;
end
$fn$;

-- Give jobs back as they were: each to ready as a row of its own, where it was.  With a
-- cause, those that ran (p_died, and unless p_only those of status running) are noted as an attempt by which
-- their worker died.  That is not charged, but a job that does it again and again is
-- taken out: three workers, or ten of workers and hosts together (a host may be lost
-- for reasons of its own).
create or replace function pgcrew.put_back(
  p_ids bigint[], p_died bigint[], p_cause text, p_holder_name text, p_only boolean default false)
returns table (job_id bigint, status text, attempts int, max_attempts int)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
begin
  return query
  with held as materialized (
    select h.id, j.queue, j.priority, j.kind, j.user_id, j.status, j.attempts, j.max_attempts, j.unique_key,
           p_cause is not null and (j.status = 'running' and not p_only or h.id = any (coalesce(p_died, '{}'))) as died,
           exists (select from pgcrew.cancels x where x.job_id = h.id) as asked,
           (select count(*) from pgcrew.attempts x
             where x.job_id = h.id and x.cause = 'worker_died' and not x.forgiven) as workers,
           (select count(*) from pgcrew.attempts x
             where x.job_id = h.id and x.cause = 'host_lost' and not x.forgiven) as hosts
      from unnest(p_ids) h (id) join public.jobs j on j.id = h.id
     where j.status in ('queued', 'running')
       -- Locked, or a job that is deleted meanwhile would be put back nevertheless.
       for no key update of j),
  judged as materialized (
    select *, case when asked then 'cancelled'
                   when died and p_cause = 'worker_died' and workers >= 2 then 'failed'
                   when died and workers + hosts >= 9 then 'failed'
                   else 'queued' end as verdict
      from held),
  noted as (
    insert into pgcrew.attempts (job_id, attempt, cause, error, holder_name, finished_at)
    select g.id, g.attempts + 1, p_cause,
           case p_cause when 'worker_died' then 'the worker process died while the job ran'
                        else 'the daemon or its host was lost while the job ran' end,
           p_holder_name, v_now
      from judged g where g.died),
  back as (
    insert into pgcrew.ready (place, job_id, user_id, queue, kind)
    select pgcrew.place(q.number, g.priority, g.id), g.id, g.user_id, g.queue, g.kind
      from judged g join pgcrew.queues q on q.queue = g.queue where g.verdict = 'queued'),
  freed as (
    delete from pgcrew.unique_keys k using judged g
     where g.verdict <> 'queued' and k.key = g.unique_key and k.job_id = g.id),
  forgot as (
    delete from pgcrew.cancels x where x.job_id = any (p_ids)), -- also of those that are deleted
  marked as (
    update public.jobs j
       set status = g.verdict,
           started_at = case when g.died then coalesce(j.started_at, v_now) else j.started_at end,
           finished_at = case when g.verdict <> 'queued' then v_now end,
           progress = case when g.verdict = 'queued' then 0 else j.progress end,
           progress_note = case when g.verdict = 'queued' then null else j.progress_note end,
           error = case when g.verdict = 'failed'
                        then format('quarantined: %s workers and %s hosts died while this job ran',
                                    g.workers + (p_cause = 'worker_died')::int, g.hosts + (p_cause = 'host_lost')::int)
                        else j.error end
      from judged g
     where j.id = g.id and (g.verdict <> 'queued' or g.status <> 'queued' or g.died))
  select g.id, g.verdict, g.attempts::int, g.max_attempts::int from judged g;
end
$fn$;

-- Attempts that did not succeed: a helper of finish, which holds the claim.
create or replace function pgcrew.finish_others(
  p_holder bigint, p_ids bigint[], p_outcomes text[], p_ran_ms int[], p_waits_ms bigint[],
  p_errors text[], p_causes text[], p_exits int[], p_signals int[], p_stderrs text[],
  p_users_ms int[], p_systems_ms int[], p_memories bigint[])
returns table (job_id bigint, status text, attempts int, max_attempts int, wait_ms bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_now  timestamptz := clock_timestamp();
  v_name text := (select w.name || '/' || w.slot from pgcrew.workers w where w.holder = p_holder);
begin
  if exists (select from unnest(p_outcomes) o
              where o is null or o not in ('succeeded', 'failed', 'retry', 'again', 'cancelled', 'release')) then
    raise exception 'unknown outcome among %', p_outcomes using errcode = '22023';
  end if;

  return query
  with told as materialized (
    select t.*, j.queue, j.priority, j.kind, j.user_id, j.attempts, j.max_attempts, j.unique_key,
           case when t.outcome in ('retry', 'again') and exists (select from pgcrew.cancels x where x.job_id = t.id)
                then 'cancelled'
                when t.outcome = 'retry' and j.attempts + 1 >= j.max_attempts then 'failed'
                when t.outcome in ('retry', 'again') and coalesce(t.wait_ms, 0) <= 0 then 'ready'
                when t.outcome in ('retry', 'again') then 'scheduled'
                else t.outcome end as verdict,
           (t.outcome in ('failed', 'retry'))::int as charged
      from unnest(p_ids, p_outcomes, p_ran_ms, p_waits_ms, p_errors, p_causes, p_exits, p_signals, p_stderrs,
                  p_users_ms, p_systems_ms, p_memories)
             t (id, outcome, ran_ms, wait_ms, error, cause, exit_code, signal, stderr_tail,
                user_ms, system_ms, memory)
           join public.jobs j on j.id = t.id
     where t.outcome not in ('succeeded', 'release') and j.status in ('queued', 'running')
       -- Locked, or a job that is deleted meanwhile would be put back nevertheless.
       for no key update of j),
  noted as (
    insert into pgcrew.attempts (job_id, attempt, cause, exit_code, signal, error, stderr_tail, user_ms, system_ms,
                                 max_rss_bytes, holder_name, started_at, finished_at)
    select t.id, t.attempts + 1,
           coalesce(t.cause, case t.outcome when 'again' then 'tempfail' when 'cancelled' then 'cancelled'
                                            else 'failed' end),
           t.exit_code, t.signal, t.error, t.stderr_tail, t.user_ms, t.system_ms, nullif(t.memory, 0), v_name,
           v_now - t.ran_ms * interval '1 ms', v_now
      from told t
     -- Cancelled before it was started: no attempt.
     where t.outcome <> 'cancelled' or t.ran_ms is not null),
  back as (
    insert into pgcrew.ready (place, job_id, user_id, queue, kind)
    select pgcrew.place(q.number, t.priority, t.id), t.id, t.user_id, t.queue, t.kind
      from told t join pgcrew.queues q on q.queue = t.queue where t.verdict = 'ready'),
  later as (
    insert into pgcrew.scheduled (job_id, run_at, priority, user_id, queue, kind)
    select t.id, v_now + t.wait_ms * interval '1 ms', t.priority, t.user_id, t.queue, t.kind
      from told t where t.verdict = 'scheduled'),
  freed as (
    delete from pgcrew.unique_keys k using told t
     where t.verdict in ('failed', 'cancelled') and k.key = t.unique_key and k.job_id = t.id),
  forgot as (
    -- Also of those that are deleted.
    delete from pgcrew.cancels x using unnest(p_ids, p_outcomes) t (id, outcome)
     where t.outcome not in ('succeeded', 'release') and x.job_id = t.id),
  marked as (
    update public.jobs j
       set status = case when t.verdict in ('failed', 'cancelled') then t.verdict else 'queued' end,
           attempts = j.attempts + t.charged,
           error = coalesce(t.error, j.error),
           progress = case when t.verdict in ('failed', 'cancelled') then j.progress else 0 end,
           progress_note = case when t.verdict in ('failed', 'cancelled') then j.progress_note end,
           run_at = case when t.verdict = 'scheduled' then v_now + t.wait_ms * interval '1 ms' else j.run_at end,
           started_at = coalesce(j.started_at, v_now - t.ran_ms * interval '1 ms'),
           finished_at = case when t.verdict in ('failed', 'cancelled') then v_now end
      from told t where j.id = t.id)
  select t.id, case when t.verdict in ('failed', 'cancelled') then t.verdict else 'queued' end,
         t.attempts + t.charged, t.max_attempts::int, case when t.verdict = 'scheduled' then t.wait_ms end
    from told t;

  if 'release' = any (p_outcomes) then
    return query
    select b.job_id, b.status, b.attempts, b.max_attempts, null::bigint
      from pgcrew.put_back(
             array(select r.id from unnest(p_ids, p_outcomes) r (id, outcome) where r.outcome = 'release'),
             null, null, null) b;
  end if;

  if exists (select from unnest(p_outcomes, p_waits_ms) t (outcome, wait_ms)
              where t.outcome = 'release'
                 or t.outcome in ('retry', 'again') and coalesce(t.wait_ms, 0) <= 0) then
    perform pgcrew.wake();
  end if;
  perform pgcrew.wake_at(v_now + min(t.wait_ms) * interval '1 ms')
     from unnest(p_outcomes, p_waits_ms) t (outcome, wait_ms)
    where t.outcome in ('retry', 'again') and t.wait_ms > 0;
end
$fn$;

-- End attempts of one claim, all or a part.  Comes back with a row for each job whose end
-- was not just success; one without a status is not the holder's (any more), and nothing of
-- its attempt is kept.  No row: all have succeeded.
--
--   succeeded  with a result; counts as an attempt
--   failed     never again; charged
--   retry      charged; again after the wait, unless that was the last attempt
--   again      not charged; after the wait
--   cancelled  because that was asked for
--   release    given back as it was, where it was
--
-- What somebody asked to cancel does not come again: retry, again and release end it.
-- The arrays are parallel to p_ids; null: nothing to say of any, and all outcomes succeeded.
-- The last three are CPU time and peak memory, for the record of the attempt.
create or replace function pgcrew.finish(
  p_holder bigint, p_token bigint, p_ids bigint[], p_outcomes text[], p_ran_ms int[], p_waits_ms bigint[],
  p_results text[], p_errors text[], p_causes text[], p_exits int[], p_signals int[], p_stderrs text[],
  p_users_ms int[] default null, p_systems_ms int[] default null, p_memories bigint[] default null)
returns table (job_id bigint, status text, attempts int, max_attempts int, wait_ms bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_now     timestamptz := clock_timestamp();
  v_held    bigint[];
  v_asked   bigint[] := p_ids;
  v_results jsonb[];
  v_ended   bigint[];
  v_keys    text[];
  v_cancels boolean;
begin
  -- The whole claim, in its order: the common case is one delete.
  delete from pgcrew.claims c
   where c.token = p_token and c.holder = p_holder and c.job_ids = p_ids;

  if not found then
    select c.job_ids into v_held
      from pgcrew.claims c where c.token = p_token and c.holder = p_holder for update;
    if not found then
      return query select i, null::text, null::int, null::int, null::bigint from unnest(p_ids) i;
      return;
    end if;
    if v_held <@ p_ids then
      delete from pgcrew.claims c where c.token = p_token;
    else
      -- Updated, not written anew: who waits for this row to reap it finds the rest.
      update pgcrew.claims c
         set job_ids = array(select h.id from unnest(v_held) with ordinality h (id, nth)
                              where h.id <> all (p_ids) order by h.nth)
       where c.token = p_token;
    end if;
    p_outcomes := coalesce(p_outcomes, array_fill('succeeded'::text, array[cardinality(p_ids)]));
    -- Line up everything with what was asked for; what is not ours drops out.
    select array_agg(a.id order by a.nth), array_agg(p_outcomes[a.nth] order by a.nth),
           array_agg(p_ran_ms[a.nth] order by a.nth), array_agg(p_waits_ms[a.nth] order by a.nth),
           array_agg(p_results[a.nth] order by a.nth), array_agg(p_errors[a.nth] order by a.nth),
           array_agg(p_causes[a.nth] order by a.nth), array_agg(p_exits[a.nth] order by a.nth),
           array_agg(p_signals[a.nth] order by a.nth), array_agg(p_stderrs[a.nth] order by a.nth),
           array_agg(p_users_ms[a.nth] order by a.nth), array_agg(p_systems_ms[a.nth] order by a.nth),
           array_agg(p_memories[a.nth] order by a.nth)
      into p_ids, p_outcomes, p_ran_ms, p_waits_ms, p_results, p_errors, p_causes, p_exits, p_signals, p_stderrs,
           p_users_ms, p_systems_ms, p_memories
      from (select distinct on (x.id) x.id, x.nth from unnest(p_ids) with ordinality x (id, nth)
             where x.id = any (v_held) order by x.id, x.nth) a;
    if cardinality(p_ids) is distinct from cardinality(v_asked) then
      return query
      select i, null::text, null::int, null::int, null::bigint
        from unnest(v_asked) i where i <> all (coalesce(p_ids, '{}'));
    end if;
    if p_ids is null then
      return;
    end if;
  end if;

  if p_results is not null then
    v_results := pgcrew.as_json(p_results);
  end if;

  with ended as (
    update public.jobs j
       set status = 'succeeded', attempts = j.attempts + 1, progress = 100, result = t.result, error = null,
           started_at = coalesce(j.started_at, v_now - coalesce(t.ran_ms, 0) * interval '1 ms'),
           finished_at = v_now
      from unnest(p_ids, p_outcomes, p_ran_ms, v_results) t (id, outcome, ran_ms, result)
     where j.id = t.id and (p_outcomes is null or t.outcome = 'succeeded') and j.status in ('queued', 'running')
    returning j.id, j.unique_key)
  select coalesce(array_agg(e.id), '{}'), array_agg(e.unique_key) filter (where e.unique_key is not null),
         exists (select from pgcrew.cancels)
    into v_ended, v_keys, v_cancels
    from ended e;

  if v_keys is not null then
    delete from pgcrew.unique_keys k where k.key = any (v_keys) and k.job_id = any (p_ids);
  end if;
  if v_cancels then
    delete from pgcrew.cancels x using unnest(p_ids, p_outcomes) t (id, outcome)
     where (p_outcomes is null or t.outcome = 'succeeded') and x.job_id = t.id;
  end if;

  if 'succeeded' = any (p_causes) then
    insert into pgcrew.attempts (job_id, attempt, cause, exit_code, stderr_tail, user_ms, system_ms, max_rss_bytes,
                                 holder_name, started_at, finished_at)
    select t.id, j.attempts, 'succeeded', t.exit_code, t.stderr_tail, t.user_ms, t.system_ms, nullif(t.memory, 0),
           (select w.name || '/' || w.slot from pgcrew.workers w where w.holder = p_holder),
           v_now - t.ran_ms * interval '1 ms', v_now
      from unnest(p_ids, p_outcomes, p_causes, p_ran_ms, p_exits, p_stderrs, p_users_ms, p_systems_ms, p_memories)
             t (id, outcome, cause, ran_ms, exit_code, stderr_tail, user_ms, system_ms, memory)
           join public.jobs j on j.id = t.id
     where (p_outcomes is null or t.outcome = 'succeeded') and t.cause = 'succeeded' and j.status = 'succeeded';
  end if;

  if cardinality(v_ended) = cardinality(p_ids) then
    return;
  end if;
  if ('succeeded' = all (p_outcomes)) is not true then
    -- Those that have ended are not asked for again below.
    for job_id, status, attempts, max_attempts, wait_ms in
      select * from pgcrew.finish_others(p_holder, p_ids, p_outcomes, p_ran_ms, p_waits_ms, p_errors, p_causes,
                                         p_exits, p_signals, p_stderrs, p_users_ms, p_systems_ms, p_memories)
    loop
      v_ended := v_ended || job_id;
      return next;
    end loop;
  end if;
  if cardinality(v_ended) < cardinality(p_ids) then
    -- Deleted, or ended by other hands.
    return query
    select i, null::text, null::int, null::int, null::bigint from unnest(p_ids) i where i <> all (v_ended);
  end if;
end
$fn$;

-- Run the SQL function of a job in the transaction that finishes it: what it did and the
-- job's end are committed together or not at all.  The function takes the payload (jsonb)
-- and its value becomes the result; what it raises ends the transaction, and the caller
-- tells finish() in another.  Empty: the claim is not the holder's.
--
--   PC001  ... (see claim)
--   PC002  the function cannot be run: it is missing, or not allowed; a person has to act
--   PC003  the claim was taken away while the function ran: nothing of it remains
--   PC065  the job has no owner to run as: it never will
--
-- Not security definer: the function runs with the rights of the session, of p_role, or
-- as the owner of the job.  p_path is what search_path was outside; null: the session's
-- own.  The claim is not locked while the function runs, so that whoever reaps it does
-- not wait; finish() sees what became of it.
create or replace function pgcrew.run_sql(
  p_holder bigint, p_token bigint, p_job bigint, p_function text, p_role text, p_as_owner boolean, p_keep boolean,
  p_path text)
returns table (job_id bigint, status text, attempts int, max_attempts int)
language plpgsql volatile security invoker
set search_path = pg_catalog, pg_temp as $fn$
#variable_conflict use_column
declare
  v_begun    timestamptz := clock_timestamp();
  v_session  text := current_setting('role');
  v_role     text := case when p_as_owner then 'authenticated' else p_role end;
  v_job      public.jobs;
  v_claims   jsonb;
  v_name     text[];
  v_function oid;
  v_schema   oid;
  v_call     text;
  v_void     boolean;
  v_result   jsonb;
begin
  select j.* into v_job from pgcrew.claims c, public.jobs j
   where c.token = p_token and c.holder = p_holder and p_job = any (c.job_ids)
     and j.id = p_job and j.status in ('queued', 'running');
  if not found then
    return;
  end if;
  if p_as_owner and v_job.user_id is null then
    raise exception 'the job has no owner, and its handler runs as the owner' using errcode = 'PC065';
  end if;

  -- In the catalogue: to_regprocedure() would ask for rights of the session, which p_role may have instead.
  begin
    v_name := parse_ident(p_function);
  exception when invalid_parameter_value then
    v_name := '{}';
  end;
  select p.oid, n.oid, p.prorettype = 'pg_catalog.void'::regtype,
         format(case when p.prorettype = 'pg_catalog.void'::regtype then 'select %I.%I($1)'
                     else 'select pg_catalog.to_jsonb(%I.%I($1))' end, n.nspname, p.proname)
    into v_function, v_schema, v_void, v_call
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
   where cardinality(v_name) = 2 and n.nspname = v_name[1] and p.proname = v_name[2]
     and p.pronargs = 1 and p.proargtypes[0] = 'pg_catalog.jsonb'::regtype
     and p.prokind = 'f' and not p.proretset;
  if not found then
    raise exception 'there is no function %(jsonb) that returns one value', p_function using errcode = 'PC002';
  end if;
  if exists (select from pg_catalog.pg_proc p
              where p.pronamespace = v_schema and p.proname = v_name[2] and p.pronargs > 1
                and p.pronargs - p.pronargdefaults <= 1 and p.proargtypes[0] = 'pg_catalog.jsonb'::regtype) then
    raise exception 'there is another function % whose other arguments have defaults: a call is ambiguous', p_function
      using errcode = 'PC002';
  end if;

  perform set_config('pgcrew.job_id', v_job.id::text, true), set_config('pgcrew.kind', v_job.kind, true),
          set_config('pgcrew.attempt', (v_job.attempts + 1)::text, true),
          set_config('pgcrew.batch_id', coalesce(v_job.batch_id::text, ''), true),
          set_config('pgcrew.user_id', coalesce(v_job.user_id::text, ''), true);
  if p_as_owner then
    select u.claims into v_claims from pgcrew.user_claims u where u.job_id = v_job.id;
    v_claims := coalesce(v_claims, '{"aud": "authenticated"}')
                || jsonb_build_object('sub', v_job.user_id, 'role', 'authenticated');
    perform set_config('request.jwt.claims', v_claims::text, true),
            set_config('request.jwt.claim.sub', v_job.user_id::text, true),
            set_config('request.jwt.claim.role', 'authenticated', true);
  end if;
  if v_role is not null then
    begin
      perform set_config('role', v_role, true);
    exception when insufficient_privilege or invalid_parameter_value then
      raise exception 'cannot become role %: it is missing, or % is not a member of it', v_role, session_user
        using errcode = 'PC002';
    end;
  end if;
  if not coalesce(has_schema_privilege(v_schema, 'usage') and has_function_privilege(v_function, 'execute'), false) then
    raise exception 'role % may not execute function %', current_user, p_function using errcode = 'PC002';
  end if;

  -- From here to where it is set back nothing of ours may look anything up by a bare name.
  perform set_config('search_path', p_path, true);
  if v_void then
    execute v_call using v_job.payload;
  else
    execute v_call into v_result using v_job.payload;
  end if;
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  -- Not local: a function that set the role for good would leave the session with it.
  perform set_config('role', v_session, false);

  if exists (select from pgcrew.finish(
               p_holder, p_token, array[p_job], null,
               array[(extract(epoch from clock_timestamp() - v_begun) * 1000)::int], null,
               array[v_result::text], null, case when p_keep then '{succeeded}'::text[] end, null, null, null)) then
    raise exception 'the claim of job % was taken away while its function ran', p_job using errcode = 'PC003';
  end if;
  return query select p_job, 'succeeded', v_job.attempts + 1, v_job.max_attempts::int;
end
$fn$;

-- 5. a lease holder is gone ------------------------------------------------------

-- Undo claims: a helper of those below, which have locked them.
create or replace function pgcrew.undo_claims(
  p_tokens bigint[], p_died bigint[], p_cause text, p_holder_name text, p_only boolean default false)
returns int
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
declare
  v_ids  bigint[];
  v_jobs int;
begin
  with gone as (
    delete from pgcrew.claims c where c.token = any (p_tokens) returning c.job_ids)
  select array_agg(h.id) into v_ids from gone, unnest(gone.job_ids) h (id);
  if v_ids is null then
    return 0;
  end if;
  select count(*) into v_jobs from pgcrew.put_back(v_ids, p_died, p_cause, p_holder_name, p_only);
  perform pgcrew.wake();
  return v_jobs;
end
$fn$;

-- What this holder has and its process does not know of goes back as it was: claims whose
-- answer was lost with the connection, jobs whose end was lost with the server.  Comes back
-- with the number of jobs.
create or replace function pgcrew.release_unknown(p_holder bigint, p_known bigint[]) returns int
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
declare
  v_tokens bigint[] := pgcrew.lock_claims(array[p_holder]);
  v_ids    bigint[];
  v_jobs   int;
begin
  v_ids := array(select h.id from pgcrew.claims c, unnest(c.job_ids) h (id)
                  where c.token = any (v_tokens) and h.id <> all (p_known));
  if v_ids = '{}' then
    return 0;
  end if;
  -- Updated, not written anew: who waits for this row to reap it finds the rest.
  with gone as (
    delete from pgcrew.claims c where c.token = any (v_tokens) and c.job_ids <@ v_ids)
  update pgcrew.claims c
     set job_ids = array(select h.id from unnest(c.job_ids) with ordinality h (id, nth)
                          where h.id = any (p_known) order by h.nth)
   where c.token = any (v_tokens) and c.job_ids && v_ids and not c.job_ids <@ v_ids;
  select count(*) into v_jobs from pgcrew.put_back(v_ids, null, null, null);
  perform pgcrew.wake();
  return v_jobs;
end
$fn$;

-- A worker ends as planned: what it still holds goes back, nothing is charged.
create or replace function pgcrew.unregister_worker(p_process uuid) returns int
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '5s' as $fn$
declare
  v_holders bigint[];
begin
  with gone as (delete from pgcrew.workers w where w.process = p_process returning w.holder)
  select array_agg(gone.holder) into v_holders from gone;
  return pgcrew.undo_claims(pgcrew.lock_claims(v_holders), null, null, null);
end
$fn$;

-- A worker process has died; p_running is what it was seen running; p_only: it is known that
-- of these one ended it, and others are not to blame.  p_running null: nobody saw it, because
-- its supervisor has died, too.  Can be asked again: the second time there is nothing to do.
create or replace function pgcrew.reap_process(p_process uuid, p_running bigint[], p_only boolean default false)
returns int
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '5s' as $fn$
declare
  v_holders bigint[];
  v_name    text;
begin
  -- Twice: the first waits for what is still under way in its backend, a claim, or a new
  -- registration, whose row only the second can see.
  for v_round in 1 .. 2 loop
    with gone as (
      delete from pgcrew.workers w where w.process = p_process returning w.holder, w.name, w.slot)
    select v_holders || array_agg(gone.holder), coalesce(v_name, max(gone.name || '/' || gone.slot))
      into v_holders, v_name from gone;
  end loop;
  return pgcrew.undo_claims(pgcrew.lock_claims(v_holders), p_running,
                            case when p_running is null then 'host_lost' else 'worker_died' end, v_name, p_only);
end
$fn$;

-- Reap the holders whose lease is over, and claims that have no holder.  One janitor
-- does it at a time; what somebody has locked is left for the next time.
--
-- p_second_look: only those who were late already at an earlier look, and not heard of since.
-- When the clock of the server jumps ahead all leases seem over, but who lives beats again
-- within a sixth of one.  Looks come every third, so nobody is kept the longer for it.
create or replace function pgcrew.reap_expired(p_second_look boolean default false)
returns table (name text, slot int, jobs int)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off as $fn$
#variable_conflict use_column
declare
  w       record;
  v_jobs  int;
  v_alone bigint[];
begin
  if not pg_try_advisory_xact_lock(1885823858, 3) then
    return;
  end if;

  -- When the clock has gone back, nobody can have been seen in what is the future now.
  update pgcrew.workers x set seen_at = clock_timestamp()
   where x.holder in (select f.holder from pgcrew.workers f
                       where f.seen_at > clock_timestamp() + interval '1 second' for update skip locked);
  update pgcrew.workers x set doubted_at = clock_timestamp()
   where x.holder in (select f.holder from pgcrew.workers f
                       where p_second_look and f.seen_at + f.lease * 0.6 < clock_timestamp()
                         and (f.doubted_at between f.seen_at and clock_timestamp()) is not true
                         for update skip locked);

  for w in
    select x.holder, x.name, x.slot from pgcrew.workers x
     -- After a restart of the server everybody gets a lease to come back.
     where greatest(x.seen_at, case when pg_postmaster_start_time() <= clock_timestamp()
                                    then pg_postmaster_start_time() end) + x.lease < clock_timestamp()
       and (not p_second_look or x.doubted_at >= x.seen_at and x.doubted_at + x.lease * 0.3 < clock_timestamp())
     order by x.holder for update skip locked
  loop
    delete from pgcrew.workers x where x.holder = w.holder;
    v_jobs := pgcrew.undo_claims(
                array(select c.token from pgcrew.claims c
                       where c.holder = w.holder order by c.token + 0 for update skip locked),
                null, 'host_lost', w.name || '/' || w.slot);
    return query select w.name, w.slot, v_jobs;
  end loop;

  v_alone := array(select c.token from pgcrew.claims c
                    where not exists (select from pgcrew.workers x where x.holder = c.holder)
                    order by c.token for update skip locked);
  if cardinality(v_alone) > 0 then
    return query select 'unknown', 0, pgcrew.undo_claims(v_alone, null, 'host_lost', null);
  end if;
end
$fn$;

-- 6. what the janitor does besides -----------------------------------------------

-- Let what is due be claimed.  next_due_ms: when to come again, null if nothing waits.
create or replace function pgcrew.promote(p_max int)
returns table (moved int, next_due_ms bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_now   timestamptz := clock_timestamp();
  v_moved int;
begin
  with due as materialized (
    delete from pgcrew.scheduled s
     where s.ctid = any (array(select x.ctid from pgcrew.scheduled x where x.run_at <= v_now
                                order by x.run_at limit p_max for update skip locked))
    returning *),
  back as (
    insert into pgcrew.ready (place, job_id, user_id, queue, kind)
    select pgcrew.place(q.number, d.priority, d.job_id), d.job_id, d.user_id, d.queue, d.kind
      from due d join pgcrew.queues q on q.queue = d.queue
    returning 1)
  select count(*) into v_moved from back;
  if v_moved > 0 then
    perform pgcrew.wake();
  end if;
  return query
  select v_moved,
         -- greatest() would make 0 of "nothing waits".
         case when min(s.run_at) is not null
              then greatest(0, ceil(extract(epoch from min(s.run_at) - clock_timestamp()) * 1000)) end::bigint
    -- What waits for ever has no distance from now.
    from pgcrew.scheduled s where s.run_at < 'infinity';
end
$fn$;

-- Does anything wait that an idle worker among these processes would claim?  What waits in a
-- paused queue does not.  The janitor
-- asks for all workers of its host, who sleep until it says so.  Looks at the next 1000 of
-- each queue; where none of so many is for them, the answer is that something may wait
-- further down.  cost_ms: dead index entries may make it dear, then ask less often.
create or replace function pgcrew.waits_for(p_processes uuid[])
returns table (waits boolean, cost_ms int)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_began timestamptz := clock_timestamp();
begin
  waits := exists (
    select from (select distinct x.queues, x.kinds from pgcrew.workers x
                  where x.process = any (p_processes) and x.idle) w,
                unnest(w.queues) u (queue) join pgcrew.queues q on q.queue = u.queue and q.paused_at is null,
                lateral (select y.kind, row_number() over () as nth
                           from (select z.kind from pgcrew.ready z
                                  where z.place >= pgcrew.place(q.number, 9, 0)
                                    and z.place < pgcrew.place(q.number + 1, 9, 0)
                                  order by z.place limit 1000) y) r
     where w.kinds is null or r.kind = any (w.kinds) or r.nth = 1000);
  cost_ms := extract(epoch from clock_timestamp() - v_began) * 1000;
  return next;
end
$fn$;

-- Kinds that wait and that no live worker of their queue has a handler for, among the
-- next 1000 jobs of each queue that is not paused.
create or replace function pgcrew.survey(p_queues text[])
returns table (queue text, kind text, jobs int)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off as $fn$
#variable_conflict use_column
begin
  return query
  select q.queue, r.kind, count(*)::int
    from unnest(p_queues) u (queue) join pgcrew.queues q on q.queue = u.queue and q.paused_at is null,
         -- What nobody takes gathers at the front.
         lateral (select x.kind from pgcrew.ready x
                   where x.place >= pgcrew.place(q.number, 9, 0) and x.place < pgcrew.place(q.number + 1, 9, 0)
                   order by x.place limit 1000) r
   where not exists (select from pgcrew.workers w
                      where q.queue = any (w.queues) and (w.kinds is null or r.kind = any (w.kinds))
                        and w.seen_at + w.lease > clock_timestamp())
   group by q.queue, r.kind
   order by q.queue, r.kind;
end
$fn$;

-- Why nothing is claimed: asked for workers (by process) that have been idle for a while.  No
-- row: nothing surely waits for any of them.  Else the queues (none that is paused) where something does, how
-- many jobs (of the next 1000 of each queue), and why they are not claimed:
--   workers  claim() gives them to who asks, so the workers do not ask
--   locked   their rows are locked by somebody else's transaction
--   claim    claim() finds none of them, though they can be locked
--   error    claim() fails
-- To find out, one of the jobs is claimed, and that is undone.
create or replace function pgcrew.stalled(p_processes uuid[])
returns table (queues text[], jobs int, why text, detail text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '1s' set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_holder bigint;
  v_kinds  text[];
  v_first  bigint;
  v_last   bigint;
begin
  with idle as (
    select w.queues, w.kinds, min(w.holder) as holder from pgcrew.workers w
     where w.process = any (p_processes) group by w.queues, w.kinds),
  found as materialized (
    select i.holder, i.kinds, q.queue, q.number, count(*) as n
      from idle i, unnest(i.queues) u (queue) join pgcrew.queues q on q.queue = u.queue and q.paused_at is null,
           lateral (select z.kind from pgcrew.ready z
                     where z.place >= pgcrew.place(q.number, 9, 0) and z.place < pgcrew.place(q.number + 1, 9, 0)
                     order by z.place limit 1000) r
     where i.kinds is null or r.kind = any (i.kinds)
     group by i.holder, i.kinds, q.queue, q.number)
  select f.holder, f.kinds, pgcrew.place(f.number, 9, 0), pgcrew.place(f.number + 1, 9, 0) - 1,
         array(select distinct x.queue from found x order by x.queue),
         (select sum(x.n) from (select max(y.n) as n from found y group by y.queue) x)
    into v_holder, v_kinds, v_first, v_last, queues, jobs
    from found f order by f.number limit 1;
  if not found then
    return;
  end if;

  begin
    perform from pgcrew.claim(v_holder, array[v_first], array[v_last], v_kinds, 1);
    if found then
      why := 'workers';
      detail := 'the database gives them to who asks, the workers do not ask';
    else
      perform from pgcrew.ready r
        where r.place >= v_first and r.place <= v_last and (v_kinds is null or r.kind = any (v_kinds))
        limit 1 for update skip locked;
      why := case when found then 'claim' else 'locked' end;
      detail := 'pgcrew.claim() finds none of them though nobody holds them: has it been changed?';
    end if;
    raise exception 'undo' using errcode = 'PC009';
  exception
    when sqlstate 'PC009' then
      null;
    when others then
      why := 'error';
      detail := 'pgcrew.claim() fails: ' || sqlerrm;
  end;
  if why = 'locked' then
    detail := 'their rows are locked by '
      || coalesce((select case when l.pid is null then 'a prepared transaction'
                               else format('pid %s, login %s, application "%s"%s', l.pid, a.usename, a.application_name,
                                           ', in its transaction since ' || date_trunc('second', a.xact_start)) end
                     from pg_locks l left join pg_stat_activity a on a.pid = l.pid
                    where l.relation = 'pgcrew.ready'::regclass and l.granted and l.mode <> 'AccessShareLock'
                      and l.pid is distinct from pg_backend_pid()
                    order by a.xact_start nulls last, l.pid limit 1),
                  'somebody who is gone by now');
  end if;
  return next;
end
$fn$;

-- How the server is, as far as it matters to the queue: figures (name, what of, value), each ok,
-- warn or error, with what was found and what to do where there is something to say.
-- p_old_ms: a transaction that is older is pointed out.  What is hidden from the owner
-- of this function (the start of others' transactions, without pg_read_all_stats) is judged by
-- what can be seen, and sees_all_sessions says so.
create or replace function pgcrew.health(p_old_ms bigint default 600000)
returns table (name text, subject text, level text, value float8, finding text, fix text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp set jit = off as $fn$
#variable_conflict use_column
declare
  v_sees boolean := pg_has_role('pg_read_all_stats', 'usage');
begin
  -- What keeps dead rows from being removed.  Sessions of other databases do not, but
  -- walsenders (a standby with hot_standby_feedback) do; vacuum itself does not.
  return query
  with pins as materialized (
    select greatest(age(a.backend_xid), age(a.backend_xmin)) as xids,
           extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds,
           format('pid %s, login %s, application "%s", %s', a.pid, a.usename, a.application_name,
                  case when s.pid is not null then 'a standby with hot_standby_feedback'
                       else coalesce(a.state, 'in a state that cannot be seen') end) as who,
           case when s.pid is not null then 'end the long query on the standby, or switch hot_standby_feedback off'
                else format('end it: select pg_terminate_backend(%s)', a.pid) end as fix
      from pg_stat_activity a left join pg_stat_replication s on s.pid = a.pid
     where (a.backend_xid is not null or a.backend_xmin is not null) and a.pid <> pg_backend_pid()
       and (s.pid is not null or a.datname = current_database() and a.usesysid is not null)
       and not exists (select from pg_stat_progress_vacuum v where v.pid = a.pid)
    union all
    select age(p.transaction), extract(epoch from clock_timestamp() - p.prepared)::float8,
           format('the prepared transaction "%s" of %s', p.gid, p.owner),
           format('commit prepared or rollback prepared %L', p.gid)
      from pg_prepared_xacts p where p.database = current_database()
    union all
    select age(s.xmin), null, format('the replication slot "%s"%s', s.slot_name,
                                     case when s.active then '' else ', which nobody uses' end),
           format('let its standby catch up, or select pg_drop_replication_slot(%L)', s.slot_name)
      from pg_replication_slots s where s.xmin is not null),
  judged as materialized (
    select p.*, case when p.xids >= 1000000 or p.seconds * 1000 >= p_old_ms * 6.0 and p.xids >= 100000 then 'error'
                     when p.xids >= 100000 or p.seconds * 1000 >= p_old_ms then 'warn'
                     else 'ok' end as level
      from pins p),
  worst as (
    select * from judged j order by j.level = 'error' desc, j.level = 'warn' desc, j.seconds desc nulls last, j.xids desc
     limit 1)
  select 'horizon_transactions', '', coalesce((select w.level from worst w), 'ok'),
         coalesce((select max(j.xids) from judged j), 0)::float8,
         (select format('%s keeps dead rows from being removed: %s transactions old%s%s', w.who, w.xids,
                        ', ' || round(w.seconds) || ' s',
                        nullif(format('; %s more like it', (select count(*) - 1 from judged j where j.level <> 'ok')),
                               '; 0 more like it'))
            from worst w where w.level <> 'ok'),
         (select w.fix from worst w where w.level <> 'ok')
  union all
  select 'horizon_seconds', '', 'ok', coalesce((select max(j.seconds) from judged j), 0), null, null
  union all
  select 'sees_all_sessions', '', 'ok', v_sees::int,
         case when not v_sees then 'how old transactions of other logins are cannot be seen, only how many others began since' end,
         case when not v_sees then format('grant pg_read_all_stats to %I', current_user) end;

  -- Numbers that run out.
  return query
  with s as (
    select format('%I.%I', s.schemaname, s.sequencename) as name, s.last_value, s.max_value,
           100.0 * (s.last_value - s.min_value) / (s.max_value::numeric - s.min_value) as used
      from pg_sequences s where (s.schemaname = 'pgcrew' or s.schemaname = 'public') and s.last_value is not null
       and (s.schemaname = 'pgcrew' or format('%I.%I', s.schemaname, s.sequencename) = pg_get_serial_sequence('public.jobs', 'id'))),
  j as (select s.*, case when s.used >= 95 then 'error' when s.used >= 80 then 'warn' else 'ok' end as level from s)
  select 'sequence_used_percent', j.name, j.level, round(j.used, 4)::float8,
         case when j.level <> 'ok'
              then format('%s has given out %s of its %s numbers: %s are left, then nothing can be inserted',
                          j.name, j.last_value, j.max_value, j.max_value - j.last_value) end,
         case when j.level <> 'ok'
              then format('begin again below the rows that are left: select setval(%L, N)', j.name) end
    from j;
  return query
  with a as (
    select 'wraparound_transactions' as name, 'transaction' as what, age(d.datfrozenxid) as used,
           current_setting('autovacuum_freeze_max_age')::bigint as most
      from pg_database d where d.datname = current_database()
    union all
    select 'wraparound_multixacts', 'multixact', mxid_age(d.datminmxid),
           current_setting('autovacuum_multixact_freeze_max_age')::bigint
      from pg_database d where d.datname = current_database()),
  j as (select a.*, case when a.used >= 1200000000 then 'error'
                         when a.used >= a.most * 1.5 then 'warn' else 'ok' end as level from a)
  select j.name, '', j.level, j.used::float8,
         case when j.level <> 'ok'
              then format('the oldest %s id of this database is %s old: at 2 billions it takes no more writes', j.what, j.used) end,
         case when j.level <> 'ok' then 'vacuum (freeze) as the owner or a superuser; what holds it up is above, or autovacuum is off' end
    from j;

  -- Dead rows that vacuum should have removed.
  return query
  with t as (
    select c.oid, format('%s.%s', n.nspname, c.relname) as name, greatest(c.reltuples, 0) as live, s.n_dead_tup as dead,
           greatest(s.last_autovacuum, s.last_vacuum) as vacuumed,
           coalesce((select o.option_value from pg_options_to_table(c.reloptions) o
                      where o.option_name = 'autovacuum_enabled'), 'on')::boolean
             and current_setting('autovacuum')::boolean and current_setting('track_counts')::boolean as automatic,
           coalesce((select o.option_value::float8 from pg_options_to_table(c.reloptions) o
                      where o.option_name = 'autovacuum_vacuum_threshold'),
                    current_setting('autovacuum_vacuum_threshold')::float8)
             + coalesce((select o.option_value::float8 from pg_options_to_table(c.reloptions) o
                          where o.option_name = 'autovacuum_vacuum_scale_factor'),
                        current_setting('autovacuum_vacuum_scale_factor')::float8) * greatest(c.reltuples, 0) as due
      from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_stat_all_tables s on s.relid = c.oid
     where c.oid = any (array['public.jobs', 'pgcrew.ready', 'pgcrew.scheduled', 'pgcrew.claims',
                              'pgcrew.workers', 'pgcrew.unique_keys']::regclass[])),
  j as (
    -- Vacuum begins when so many are due, and then takes its time.
    select t.*, case when t.dead >= 50 * t.due + 100000 then 'error'
                     when t.dead >= 5 * t.due + 10000 or not t.automatic then 'warn'
                     else 'ok' end as level from t)
  select 'dead_rows', j.name, j.level, j.dead::float8,
         case when j.level <> 'ok'
              then format('%s has %s dead rows, %s live ones; %s, last vacuum: %s', j.name, j.dead, round(j.live),
                          case when j.automatic then 'autovacuum does not keep up' else 'autovacuum is off' end,
                          coalesce(date_trunc('second', j.vacuumed)::text, 'never')) end,
         case when j.level <> 'ok'
              then case when j.automatic then format('end what keeps dead rows (above), then vacuum %s; autovacuum may need more workers or a smaller cost delay', j.name)
                        else format('alter table %s reset (autovacuum_enabled); or autovacuum and track_counts on in the server', j.name) end end
    from j order by j.name;

  return query
  select 'server_ms', '', 'ok', extract(epoch from clock_timestamp())::float8 * 1000, null::text, null::text;
end
$fn$;

-- 7. what people ask for ---------------------------------------------------------

-- One job; its id.  With a unique key that an unfinished job has: that job's id.
create or replace function pgcrew.enqueue(
  kind text, payload jsonb default '{}', queue text default 'default', priority int default 0,
  run_at timestamptz default now(), batch_id uuid default null, user_id uuid default null,
  max_attempts int default 5, unique_key text default null)
returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_id         bigint;
  v_constraint text;
begin
  loop
    select k.job_id into v_id from pgcrew.unique_keys k where k.key = enqueue.unique_key;
    if found then
      return v_id;
    end if;
    begin
      insert into public.jobs (kind, payload, queue, priority, run_at, batch_id, user_id, max_attempts, unique_key)
      values (enqueue.kind, enqueue.payload, enqueue.queue, enqueue.priority::smallint, enqueue.run_at,
              enqueue.batch_id, enqueue.user_id, enqueue.max_attempts::smallint, enqueue.unique_key)
      returning id into v_id;
      return v_id;
    exception when unique_violation then
      -- Somebody else was first: look again, unless it is another's constraint.
      get stacked diagnostics v_constraint = constraint_name;
      if v_constraint is distinct from 'unique_keys_pkey' then
        raise;
      end if;
    end;
  end loop;
end
$fn$;

-- Cancel jobs: cancelled (had not started), asked (a worker has it and is told), ended
-- (too late), unknown.
create or replace function pgcrew.cancel_jobs(p_ids bigint[])
returns table (job_id bigint, what text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_left   bigint[] := array(select distinct i from unnest(p_ids) i where i is not null order by i);
  v_some   bigint[];
  v_tokens bigint[];
  v_asked  boolean := false;
begin
  -- A job moves while we look (claimed, given back, promoted): then it is in the next
  -- place, so look again.  Where somebody is just taking it, we wait for him.
  for v_round in 1 .. 10 loop
    exit when cardinality(v_left) = 0;

    with r as (delete from pgcrew.ready x using public.jobs j, pgcrew.queues q
                where j.id = any (v_left) and q.queue = j.queue
                  and x.place = pgcrew.place(q.number, j.priority, j.id) returning x.job_id),
         s as (delete from pgcrew.scheduled x where x.job_id = any (v_left) returning x.job_id)
    select array_agg(u.job_id) into v_some from (select * from r union all select * from s) u;
    if v_round = 10 then
      -- It is nowhere: somebody wrote to our tables by hand.  It shall not wait for ever.
      v_some := v_left;
    end if;
    if v_some is not null then
      perform pgcrew.end_cancelled(v_some);
      return query select i, 'cancelled' from unnest(v_some) i;
      v_left := array(select i from unnest(v_left) i where i not in (select unnest(v_some)));
    end if;

    -- With the claim locked its worker cannot finish without seeing what we ask for.
    v_tokens := array(select c.token from pgcrew.claims c
                       where exists (select from unnest(c.job_ids) h (id) where h.id in (select unnest(v_left)))
                       order by c.token for update);
    with held as (
      select distinct h.id from pgcrew.claims c, unnest(c.job_ids) h (id)
       where c.token = any (v_tokens) and h.id in (select unnest(v_left))),
    asked as (
      insert into pgcrew.cancels (job_id) select h.id from held h order by h.id on conflict do nothing)
    select array_agg(h.id) into v_some from held h;
    if v_some is not null then
      v_asked := true;
      return query select i, 'asked' from unnest(v_some) i;
      v_left := array(select i from unnest(v_left) i where i not in (select unnest(v_some)));
    end if;

    v_some := array(select i from unnest(v_left) i
                     where not exists (select from public.jobs j
                                        where j.id = i and j.status in ('queued', 'running')));
    return query
    select i, case when exists (select from public.jobs j where j.id = i) then 'ended' else 'unknown' end
      from unnest(v_some) i;
    v_left := array(select i from unnest(v_left) i where i not in (select unnest(v_some)));
  end loop;

  if v_asked then
    perform pg_notify('pgcrew', 'cancel');
  end if;
end
$fn$;

create or replace function pgcrew.end_cancelled(p_ids bigint[]) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
begin
  with ended as (
    update public.jobs j set status = 'cancelled', finished_at = clock_timestamp()
     where j.id = any (p_ids) and j.status in ('queued', 'running')
    returning j.id, j.unique_key)
  delete from pgcrew.unique_keys k using ended e
   where e.unique_key is not null and k.key = e.unique_key and k.job_id = e.id;
end
$fn$;

-- Cancel what is left of a batch.
create or replace function pgcrew.cancel_batch_jobs(p_batch uuid)
returns table (cancelled int, asked int)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
#variable_conflict use_column
begin
  return query
  select count(*) filter (where c.what = 'cancelled')::int, count(*) filter (where c.what = 'asked')::int
    from pgcrew.cancel_jobs(array(select j.id from public.jobs j
                                   where j.batch_id = p_batch and j.status in ('queued', 'running'))) c;
end
$fn$;

-- Failed and cancelled jobs start anew: queued, not_ended, succeeded (left alone),
-- duplicate (another unfinished job has its unique key) or unknown.
create or replace function pgcrew.retry_jobs(p_ids bigint[])
returns table (job_id bigint, what text)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_now  timestamptz := clock_timestamp();
  v_anew boolean;
begin
  return query
  with locked as materialized (
    select j.* from public.jobs j where j.id = any (p_ids) order by j.id for update),
  keyed as (
    insert into pgcrew.unique_keys (key, job_id)
    select l.unique_key, l.id from locked l
     where l.status in ('failed', 'cancelled') and l.unique_key is not null order by l.unique_key
    on conflict (key) do nothing
    returning job_id),
  anew as materialized (
    select l.* from locked l
     where l.status in ('failed', 'cancelled')
       and (l.unique_key is null or l.id in (select k.job_id from keyed k))),
  back as (
    insert into pgcrew.ready (place, job_id, user_id, queue, kind)
    select pgcrew.place(q.number, a.priority, a.id), a.id, a.user_id, a.queue, a.kind
      from anew a join pgcrew.queues q on q.queue = a.queue),
  forgiven as (
    update pgcrew.attempts x set forgiven = true from anew a where x.job_id = a.id and not x.forgiven),
  marked as (
    update public.jobs j
       set status = 'queued', attempts = 0, progress = 0, progress_note = null, result = null, error = null,
           run_at = v_now, started_at = null, finished_at = null
      from anew a where j.id = a.id)
  select i.id, case when a.id is not null then 'queued'
                    when l.id is null then 'unknown'
                    when l.status in ('queued', 'running') then 'not_ended'
                    when l.status = 'succeeded' then 'succeeded'
                    else 'duplicate' end
    from (select distinct x from unnest(p_ids) x where x is not null) i (id)
         left join locked l on l.id = i.id
         left join anew a on a.id = i.id
   order by i.id;
  if found then
    perform pgcrew.wake();
  end if;
end
$fn$;

-- All that failed or was cancelled in a batch: how many start anew.  By parts: retry_jobs
-- compares its lists with each other row by row, which takes minutes for 20,000 at once.
create or replace function pgcrew.retry_batch(p_batch uuid) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_ids  bigint[] := array(select j.id from public.jobs j
                            where j.batch_id = p_batch and j.status in ('failed', 'cancelled') order by j.id);
  v_anew int := 0;
begin
  for v_from in 1 .. coalesce(cardinality(v_ids), 0) by 200 loop
    v_anew := v_anew + (select count(*) from pgcrew.retry_jobs(v_ids[v_from : v_from + 199]) r
                         where r.what = 'queued');
  end loop;
  return v_anew;
end
$fn$;

-- From now on nothing is claimed from the queue, on any host; what has been claimed is run, and
-- jobs go in.  False: it was paused already.  p_by: who did it, as people shall read it; else
-- it is the login.
create or replace function pgcrew.pause_queue(p_queue text, p_by text default null) returns bool
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_number int := pgcrew.queue_number(p_queue);
begin
  update pgcrew.queues q set paused_at = clock_timestamp(), paused_by = left(coalesce(p_by, session_user), 100)
   where q.number = v_number and q.paused_at is null;
  return found;
end
$fn$;

-- The end of the pause.  False: there was none.
create or replace function pgcrew.resume_queue(p_queue text) returns bool
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_number int := pgcrew.queue_number(p_queue);
begin
  update pgcrew.queues q set paused_at = null, paused_by = null
   where q.number = v_number and q.paused_at is not null;
  if not found then
    return false;
  end if;
  -- Not wake(): whoever is about to tell the workers may commit before us.
  perform pg_notify('pgcrew', 'ready');
  return true;
end
$fn$;

-- 8. who may call what -----------------------------------------------------------

-- queue_number, drop_ended, lock_claims, undo_claims, put_back, finish_others, end_cancelled, as_json, wake and wake_at are helpers: nobody's.
revoke all on all functions in schema pgcrew from public, anon, authenticated;
grant execute on function
  pgcrew.register_worker(uuid, text, int, int, text, text[], text[], int, int),
  pgcrew.unregister_worker(uuid),
  pgcrew.heartbeat(uuid[]),
  pgcrew.claim(bigint, bigint[], bigint[], text[], int, text[], boolean),
  pgcrew.place(int, int, bigint),
  pgcrew.report(bigint, bigint[], bigint[], int[], real[], text[]),
  pgcrew.finish(bigint, bigint, bigint[], text[], int[], bigint[], text[], text[], text[], int[], int[], text[],
                int[], int[], bigint[]),
  pgcrew.run_sql(bigint, bigint, bigint, text, text, boolean, boolean, text),
  pgcrew.release_unknown(bigint, bigint[]),
  pgcrew.reap_process(uuid, bigint[], boolean),
  pgcrew.reap_expired(boolean),
  pgcrew.promote(int),
  pgcrew.waits_for(uuid[]),
  pgcrew.survey(text[]),
  pgcrew.stalled(uuid[]),
  pgcrew.health(bigint),
  pgcrew.enqueue(text, jsonb, text, int, timestamptz, uuid, uuid, int, text),
  pgcrew.cancel_jobs(bigint[]),
  pgcrew.cancel_batch_jobs(uuid),
  pgcrew.retry_jobs(bigint[]),
  pgcrew.retry_batch(uuid),
  pgcrew.pause_queue(text, text),
  pgcrew.resume_queue(text)
to pgcrew_worker, service_role;

-- 9. say so ----------------------------------------------------------------------

insert into pgcrew.migrations (version, file) values (5, '005_queue_functions.sql')
on conflict (version) do nothing;

do $do$
begin
  execute format('comment on table public.jobs is %L',
                 'pgcrew job queue; schema version ' || (select max(version) from pgcrew.migrations));
end
$do$;

notify pgrst, 'reload schema';
