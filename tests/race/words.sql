-- What the specs say instead of long statements.  Workers are 1 and 2, jobs 1, 2, 3.
create schema race;
create table race.held (worker int primary key, token bigint, ids bigint[]);

create function race.start(jobs int) returns void language plpgsql as $fn$
begin
  truncate public.jobs restart identity; -- a trigger empties the tables of the protocol
  truncate pgcrew.workers, pgcrew.kinds, race.held restart identity;
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
