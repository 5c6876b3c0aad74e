-- What the specs say instead of long statements.  Workers are 1 and 2, jobs 1, 2, 3.
create schema race;
create table race.held (worker int primary key, token bigint, ids bigint[]);

create function race.start(jobs int) returns void language plpgsql as $fn$
begin
  truncate public.jobs restart identity; -- a trigger empties the tables of the protocol
  truncate pgcrew.workers, pgcrew.kinds, race.held, race.effects restart identity;
  perform pgcrew.register_worker(race.process(i), 'host', i, i, 'test', '{default}', null, 1, 30000)
     from generate_series(1, 2) i;
  perform pgcrew.enqueue('a') from generate_series(1, jobs);
end
$fn$;

create function race.process(worker int) returns uuid language sql immutable as
  $fn$ select format('00000000-0000-0000-0000-%s', lpad(worker::text, 12, '0'))::uuid $fn$;

create function race.holder(worker int) returns bigint language sql stable as
  $fn$ select holder from pgcrew.workers w where w.slot = worker $fn$;

-- Where a job of the only queue and priority stands.
create function race.spot(id bigint) returns bigint language sql stable as
  $fn$ select pgcrew.place(q.number, 0, id) from pgcrew.queues q where q.queue = 'default' $fn$;

-- The ids that the worker gets, from that one on.
create function race.claim(worker int, want int, from_id bigint default 0) returns bigint[] language plpgsql as $fn$
declare
  v_token bigint;
  v_ids   bigint[];
begin
  select min(c.token), array_agg(c.job_id order by c.job_id) into v_token, v_ids
    from pgcrew.claim(race.holder(worker), array[race.spot(from_id)], array[race.spot(1000000)], null, want) c;
  insert into race.held values (worker, v_token, v_ids)
  on conflict on constraint held_pkey do update set token = v_token, ids = v_ids;
  return v_ids;
end
$fn$;

-- These jobs have ended like this: those that were the worker's, with what became of them.
create function race.finish_all(holder bigint, token bigint, ids bigint[], outcome text)
returns table (id bigint, status text) language plpgsql as $fn$
begin
  return query
  with f as materialized (
    select * from pgcrew.finish(holder, token, ids, array_fill(outcome, array[cardinality(ids)]),
                                array_fill(5, array[cardinality(ids)]), array_fill(60000::bigint, array[cardinality(ids)]),
                                null, null, null, null, null, null))
  select i, coalesce(f.status, 'succeeded') from unnest(ids) i left join f on f.job_id = i
   where f.job_id is null or f.status is not null order by 1;
end
$fn$;

-- What it claimed last has ended like this; also when it was taken away meanwhile.
create function race.finish(worker int, outcome text, holder bigint default null) returns table (id bigint, status text)
language sql as $fn$
  select f.* from race.held h, race.finish_all(coalesce(finish.holder, race.holder(worker)), h.token, h.ids, outcome) f
   where h.worker = finish.worker
$fn$;

-- Where every job is: id, status, table.
create function race.places() returns table (id bigint, status text, place text) language sql stable as $fn$
  select j.id, j.status,
         concat_ws('+', (select 'ready' from pgcrew.ready r where r.job_id = j.id),
                        (select 'scheduled' from pgcrew.scheduled s where s.job_id = j.id),
                        (select 'claimed' from pgcrew.claims c where j.id = any (c.job_ids)))
    from public.jobs j order by j.id
$fn$;

-- The spec language ends a step at the first closing brace: arrays and JSON live here.
create function race.late_claim(holder bigint) returns bigint language sql as
  $fn$ select count(*) from pgcrew.claim(holder, array[race.spot(0)], array[race.spot(1000000)], null, 1) $fn$;

create function race.register(worker int) returns int language sql as
  $fn$ select cardinality(tokens)
         from pgcrew.register_worker(race.process(worker), 'host', worker, 1, 'test', '{default}', null, 1, 30000) $fn$;

create function race.sign_in() returns void language sql as
  $fn$ select set_config('request.jwt.claims', '{"sub": "11111111-1111-4111-8111-111111111111"}', false) $fn$;
grant usage on schema race to authenticated;

-- One job of what it claimed last.
create function race.finish_one(worker int, job bigint, outcome text) returns table (id bigint, status text)
language sql as $fn$
  select f.* from race.held h, race.finish_all(race.holder(worker), h.token, array[job], outcome) f
   where h.worker = finish_one.worker
$fn$;

-- All of them run and are half done; comes back with those that are not its own any more.
create function race.report(worker int) returns setof bigint language sql as $fn$
  select r.job_id
    from race.held h,
         pgcrew.report(race.holder(worker), array_fill(h.token, array[cardinality(h.ids)]), h.ids,
                       array_fill(500, array[cardinality(h.ids)]), array_fill(50::real, array[cardinality(h.ids)]), null) r
   where h.worker = report.worker order by 1
$fn$;

create function race.heartbeat(worker int) returns bigint language sql as
  $fn$ select count(*) from pgcrew.heartbeat(array[race.process(worker)]) $fn$;

create function race.expire(worker int) returns void language sql as
  $fn$ update pgcrew.workers set seen_at = now() - interval '2 ms', lease = '1 ms' where slot = worker $fn$;

-- What contradicts itself; every spec ends with it, and it is always empty.
create function race.broken() returns table (broken text) language sql stable as $fn$
  with places as (
    select job_id as id, 'ready' as place from pgcrew.ready
    union all select job_id, 'scheduled' from pgcrew.scheduled
    union all select i, 'claimed' from pgcrew.claims c, unnest(c.job_ids) i),
  n as (
    select coalesce(j.id, p.id) as id, j.status, array_agg(p.place) filter (where p.place is not null) as places
      from public.jobs j full join places p on p.id = j.id group by 1, 2)
  select format('job %s: %s in %s', n.id, coalesce(n.status, 'no such job'), coalesce(n.places::text, 'none')) from n
   where n.status is null and n.places <> array['claimed']
      or n.status in ('queued', 'running') and cardinality(n.places) is distinct from 1
      or n.status = 'running' and n.places <> array['claimed']
      or n.status not in ('queued', 'running') and n.places is not null
  union all
  select format('key %s of job %s', k.key, k.job_id) from pgcrew.unique_keys k
   where not exists (select from public.jobs j
                      where j.id = k.job_id and j.unique_key = k.key and j.status in ('queued', 'running'))
  union all
  select format('job %s without its key', j.id) from public.jobs j
   where j.status in ('queued', 'running') and j.unique_key is not null
     and not exists (select from pgcrew.unique_keys k where k.key = j.unique_key and k.job_id = j.id)
  union all
  select format('cancel of job %s', x.job_id) from pgcrew.cancels x
   where not exists (select from pgcrew.claims c where x.job_id = any (c.job_ids))
  union all
  select format('attempt of job %s', a.job_id) from pgcrew.attempts a
   where not exists (select from public.jobs j where j.id = a.job_id)
$fn$;

-- A batch whose jobs are 1 to n, and how far it is.
create function race.batch() returns uuid language sql immutable as
  $fn$ select uuid '99999999-9999-4999-8999-999999999999' $fn$;

create function race.start_batch(jobs int) returns void language plpgsql as $fn$
begin
  perform race.start(0);
  insert into public.jobs (kind, batch_id, user_id)
  select 'a', race.batch(), '11111111-1111-4111-8111-111111111111' from generate_series(1, jobs);
end
$fn$;

create function race.batch_state()
returns table (status text, done text, total text, queued text, succeeded text, failed text, cancelled text, percent text)
language sql stable as $fn$
  select b ->> 'status', b ->> 'done', b ->> 'total', b ->> 'queued', b ->> 'succeeded', b ->> 'failed', b ->> 'cancelled',
         b ->> 'percent'
    from public.batch_status(race.batch(), 0) b
$fn$;

-- A handler that is a SQL function: its effect, after it has had the lock that a spec holds.
create table race.effects (job bigint);
create function race.handler(payload jsonb) returns int language plpgsql as $fn$
begin
  perform pg_advisory_xact_lock_shared(4711);
  insert into race.effects values (current_setting('pgcrew.job_id')::bigint);
  return 1;
end
$fn$;

create function race.run_sql(worker int) returns table (id bigint, status text) language sql as $fn$
  select r.job_id, r.status
    from race.held h,
         pgcrew.run_sql(race.holder(worker), h.token, h.ids[1], 'race.handler', null, false, false, '') r
   where h.worker = run_sql.worker
$fn$;

-- The worker says what it knows of: it comes back with how much went.
create function race.knows(worker int, known bigint[] default array[]::bigint[]) returns int language sql as
  $fn$ select pgcrew.release_unknown(race.holder(worker), known) $fn$;

create function race.ended(status text, key text default null) returns void language sql as
  $fn$ insert into public.jobs (kind, status, finished_at, unique_key) values ('a', status, now(), key) $fn$;

create function race.later(jobs int) returns void language plpgsql as $fn$
begin
  perform pgcrew.enqueue('a', run_at => now() + interval '1 hour') from generate_series(1, jobs);
  update pgcrew.scheduled set run_at = now() - interval '1 second';
end
$fn$;

-- A schedule whose time has come, and whose next is far off.
create function race.due_schedule() returns void language sql as $fn$
  select pgcrew.put_schedule('s', '@every 100d', 'a');
  update pgcrew.schedules set next_at = now() - interval '1 second';
$fn$;
