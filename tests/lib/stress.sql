-- The hustle of tests/sql/9000-stress.sh: what one client of pgbench does in a turn.
-- A worker claims, sleeps, reports and ends its jobs in every way, or dies, or is
-- thought dead; others enqueue, cancel, reap and promote.  Each end of a job is noted
-- in the transaction that made it, under a key: a second end is an error.

create schema stress;
create table stress.workers (client int primary key, process uuid not null, holder bigint);
create table stress.dead (process uuid primary key);
create table stress.ends (job_id bigint primary key, status text not null);
create table stress.counts (what text not null, n bigint not null);

create function stress.count(p_what text, p_n bigint default 1) returns void language sql as
  $f$ insert into stress.counts values (p_what, p_n) $f$;

-- Some job that there may be.
create function stress.any_job() returns bigint language sql volatile as
  $f$ select (random() * (select max(id) from public.jobs))::bigint $f$;

create function stress.produce() returns void language plpgsql as $f$
begin
  insert into public.jobs (kind, priority, run_at, max_attempts)
  select 'a', i % 3, now() + case when random() < 0.2 then random() * interval '1 s' else '0' end, 2 + i % 3
    from generate_series(1, 1 + (random() * 60)::int) i;
  perform pgcrew.enqueue('a', unique_key => 'key ' || (random() * 20)::int);
end
$f$;

create function stress.disturb() returns void language plpgsql as $f$
declare
  v_process uuid;
  v_cancelled int;
begin
  -- A janitor hears of a death some time after it.
  select process into v_process from stress.dead order by random() limit 1;
  perform stress.count('given back', pgcrew.reap_process(v_process, null));
  if random() < 0.1 then
    -- Its host was out of reach only: this worker still believes to be alive.
    select process into v_process from stress.workers order by random() limit 1;
    perform stress.count('given back', pgcrew.reap_process(v_process, null));
    perform stress.count('thought dead');
  end if;
  with c as (select * from pgcrew.cancel_jobs(array[stress.any_job(), stress.any_job(), stress.any_job()])),
       e as (insert into stress.ends select job_id, 'cancelled' from c where what = 'cancelled' returning 1)
  select count(*) into v_cancelled from e;
  perform stress.count('cancelled', v_cancelled);
  perform pgcrew.promote(20);
  perform pgcrew.reap_expired();
  perform pgcrew.heartbeat(array(select process from stress.workers));
end
$f$;

create procedure stress.work(p_client int) language plpgsql as $f$
declare
  v_holder  bigint;
  v_token   bigint;
  v_ids     bigint[];
  v_part    bigint[];
  v_process uuid;
  v_out     text[];
begin
  select w.holder, w.process into v_holder, v_process from stress.workers w where w.client = p_client;
  if v_holder is null or random() < 0.02 then
    -- Started anew, or over a new connection.
    v_process := coalesce(v_process, gen_random_uuid());
    select r.holder into v_holder
      from pgcrew.register_worker(v_process, 'host', p_client, 1, 'test', '{default}', null, 1, 30000) r;
    insert into stress.workers values (p_client, v_process, v_holder)
    on conflict (client) do update set process = v_process, holder = v_holder;
    commit;
  end if;

  begin
    select min(c.token), array_agg(c.job_id) into v_token, v_ids
      from pgcrew.claim(v_holder, array[pgcrew.place(1, 9, 0)], array[pgcrew.place(2, 9, 0)], null, 1 + (random() * 20)::int) c;
  exception when sqlstate 'PC001' then
    update stress.workers set holder = null where client = p_client;
    perform stress.count('found out');
    v_ids := null;
  end;
  commit;
  if v_ids is null then
    return;
  end if;
  perform stress.count('started', cardinality(v_ids)), pg_sleep(random() * 0.01);

  if random() < 0.3 then
    perform pgcrew.report(v_holder, array_fill(v_token, array[cardinality(v_ids)]), v_ids,
                          array_fill(200, array[cardinality(v_ids)]), array_fill(50::real, array[cardinality(v_ids)]), null);
    commit;
  end if;
  if random() < 0.1 then
    delete from stress.workers where client = p_client;
    insert into stress.dead values (v_process);
    perform stress.count('died');
    commit;
    return;
  end if;

  -- In one part or several, each in any order.
  while cardinality(v_ids) > 0 loop
    select array_agg(i order by random()) into v_part
      from unnest(v_ids[1 : case when random() < 0.5 then cardinality(v_ids) else 1 + (random() * 5)::int end]) i;
    v_ids := array(select i from unnest(v_ids) i where i <> all (v_part));
    v_out := array(select (array['succeeded', 'succeeded', 'succeeded', 'retry', 'again', 'release', 'failed', 'cancelled'])[1 + floor(random() * 8)]
                     from unnest(v_part));
    -- Of a job that finish does not name there is nothing to say but that it succeeded.
    with f as (
      select i.id, case when f.job_id is null then 'succeeded' else f.status end as status
        from unnest(v_part) i (id)
             left join pgcrew.finish(v_holder, v_token, v_part, v_out, array_fill(5, array[cardinality(v_part)]),
                                     array(select (random() * 500)::bigint from unnest(v_part)),
                                     null, null, null, null, null, null) f on f.job_id = i.id),
    e as (
      insert into stress.ends select f.id, f.status from f where f.status <> 'queued')
    insert into stress.counts select 'fenced off', count(*) from f where f.status is null having count(*) > 0;
    commit;
  end loop;
end
$f$;

-- What is left: everybody is dead, everything is due, one worker does it all.
create procedure stress.finish_up() language plpgsql as $f$
declare
  v_holder bigint;
  v_token  bigint;
  v_ids    bigint[];
begin
  perform pgcrew.reap_process(process, null) from (select process from stress.dead union select process from stress.workers) p;
  commit;
  select r.holder into v_holder
    from pgcrew.register_worker(gen_random_uuid(), 'host', 0, 1, 'test', '{default}', null, 1, 30000) r;
  loop
    update pgcrew.scheduled set run_at = now() where true;
    perform pgcrew.promote(100000);
    commit;
    select min(c.token), array_agg(c.job_id) into v_token, v_ids
      from pgcrew.claim(v_holder, array[pgcrew.place(1, 9, 0)], array[pgcrew.place(2, 9, 0)], null, 500) c;
    exit when v_ids is null;
    insert into stress.ends
    select i.id, case when f.job_id is null then 'succeeded' else f.status end
      from unnest(v_ids) i (id)
           left join pgcrew.finish(v_holder, v_token, v_ids, null, array_fill(5, array[cardinality(v_ids)]),
                                   null, null, null, null, null, null, null) f on f.job_id = i.id;
    commit;
  end loop;
end
$f$;
