-- pgcrew: schedules, which put a job in again and again.
--
-- When a schedule is due is computed here, from the server's clock and time zones: no clock of
-- a host counts.  The janitors of all hosts call run_schedules(); a row that one of them has
-- locked the others pass over, and the job and the next time are committed together.
--
-- Programs of version 5 know of no schedules, and work on.

do $do$
begin
  perform pg_advisory_xact_lock(1885823858, 0);
  if to_regclass('pgcrew.migrations') is null
     or not exists (select from pgcrew.migrations where version = 5) then
    raise exception 'run 005_queue_functions.sql first' using errcode = '42P01';
  end if;
end
$do$;

-- 1. the table -------------------------------------------------------------------

-- Written by the functions in section 3 only, which check what goes in.
create table if not exists pgcrew.schedules (
  name         text primary key,                  -- 1 to 100 characters
  cron         text not null,                     -- see cron_parse
  timezone     text not null,                     -- a name of pg_timezone_names
  kind         text not null,
  queue        text not null,
  payload      jsonb not null,
  priority     smallint not null,
  max_attempts smallint not null,
  catch_up     text not null,                     -- none, one or all: of the times that were missed
  overlap    boolean not null,                  -- false: no job while the one before has not ended
  made_by      text not null,
  made_at      timestamptz not null default clock_timestamp(),
  paused_at    timestamptz,
  paused_by    text,
  next_at      timestamptz,                       -- null: paused, or it cannot be computed any more
  last_at      timestamptz,                       -- the time that the last job was for
  last_job_id  bigint,
  note         text,                              -- of the times due last: those that have no job, if that is as it shall be
  error        text                               -- why they have none, else
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 500);
alter table pgcrew.schedules enable row level security;
create index if not exists schedules_due_idx on pgcrew.schedules (next_at);

revoke all on table pgcrew.schedules from public, anon, authenticated, service_role, pgcrew_worker;
grant select on table pgcrew.schedules to service_role, pgcrew_worker;

do $do$
begin
  if not exists (select from pg_policies where schemaname = 'pgcrew' and tablename = 'schedules'
                    and policyname = 'schedules_service_read') then
    create policy schedules_service_read on pgcrew.schedules for select to pgcrew_worker, service_role using (true);
  end if;
end
$do$;

-- 2. when ------------------------------------------------------------------------

-- All that is wrong with the text of a schedule has one SQLSTATE.
create or replace function pgcrew.cron_wrong(p_text text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $fn$
begin
  raise exception '%', p_text using errcode = '22023',
    hint = 'five fields: minute hour day month weekday; or @hourly @daily @weekly @monthly @yearly, or @every 90s';
end
$fn$;

-- A number of a field, or the name of one; null: neither.
create or replace function pgcrew.cron_number(p_text text, p_min int, p_words text[]) returns int
language sql immutable set search_path = pg_catalog, pg_temp as
$fn$ select case when p_text ~ '^[0-9]+$' then p_text::int else array_position(p_words, p_text) + p_min - 1 end $fn$;

-- The numbers that a field stands for.
create or replace function pgcrew.cron_field(p_field text, p_name text, p_min int, p_max int, p_words text[]) returns int[]
language plpgsql immutable set search_path = pg_catalog, pg_temp as $fn$
declare
  v_all   int[] := '{}';
  v_part  text;
  v_parts text[];
  v_first int;
  v_last  int;
  v_step  int;
begin
  foreach v_part in array string_to_array(lower(p_field), ',') loop
    v_parts := regexp_match(v_part, '^(?:(\*)|([0-9]{1,4}|[a-z]{3})(?:(-)([0-9]{1,4}|[a-z]{3}))?)(?:/([0-9]{1,4}))?$');
    if v_parts is null or v_parts[5] is not null and v_parts[1] is null and v_parts[3] is null then
      perform pgcrew.cron_wrong(format('%s: "%s" is no number, range (1-5), list (1,3) or step (*/2, 1-9/2)', p_name, v_part));
    end if;
    v_first := case when v_parts[1] is null then pgcrew.cron_number(v_parts[2], p_min, p_words) else p_min end;
    v_last := case when v_parts[1] is not null then p_max
                   when v_parts[3] is null then v_first
                   else pgcrew.cron_number(v_parts[4], p_min, p_words) end;
    v_step := coalesce(v_parts[5]::int, 1);
    -- In "fri-sun" the Sunday is the one that comes after.
    if p_name = 'weekday' and v_parts[4] = 'sun' and v_first > 0 then
      v_last := 7;
    end if;
    if (v_first between p_min and p_max and v_last between p_min and p_max) is not true then
      perform pgcrew.cron_wrong(format('%s: "%s" is not within %s to %s%s', p_name, v_part, p_min, p_max,
                                       ' (' || p_words[1] || ' to ' || p_words[cardinality(p_words)] || ')'));
    elsif v_first > v_last then
      perform pgcrew.cron_wrong(format('%s: the range "%s" ends before it begins', p_name, v_part));
    elsif v_step not between 1 and p_max - p_min then
      perform pgcrew.cron_wrong(format('%s: the step of "%s" is not within 1 to %s', p_name, v_part, p_max - p_min));
    end if;
    v_all := v_all || array(select generate_series(v_first, v_last, v_step));
  end loop;
  return array(select distinct i from unnest(v_all) i order by i);
end
$fn$;

-- What a cron text says.  Either it is an interval, or times: numbers of each field.  Where the
-- hours begin with * they are those of the clock on the wall (any_hour), else times that a
-- person has in mind; see cron_next.  either: day and weekday are both restricted (neither
-- begins with *), and one of them is enough, as in every cron.
create or replace function pgcrew.cron_parse(
  p_cron text, out every interval, out minutes int[], out hours int[], out days int[], out months int[],
  out weekdays int[], out any_hour bool, out either bool)
language plpgsql immutable set search_path = pg_catalog, pg_temp as $fn$
declare
  v_cron   text := btrim(coalesce(p_cron, ''), E' \t');
  v_fields text[];
  v_parts  text[];
begin
  if length(v_cron) not between 1 and 200 then
    perform pgcrew.cron_wrong('a cron text must have 1 to 200 characters');
  end if;
  if v_cron ~* '^@every[ \t]' then
    v_parts := regexp_match(v_cron, '^@every[ \t]+(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,6})m(?:in)?)?(?:([0-9]{1,8})s)?$', 'i');
    every := make_interval(secs => coalesce(v_parts[1]::float8, 0) * 86400 + coalesce(v_parts[2]::float8, 0) * 3600
                                   + coalesce(v_parts[3]::float8, 0) * 60 + coalesce(v_parts[4]::float8, 0));
    if v_parts is null or every not between interval '1 s' and interval '8784 h' then
      perform pgcrew.cron_wrong('@every: must be 1s to 366d, as 90s, 5min, 1h30min or 2d');
    end if;
    return;
  end if;
  v_cron := case lower(v_cron) when '@hourly' then '0 * * * *' when '@daily' then '0 0 * * *'
                               when '@midnight' then '0 0 * * *' when '@weekly' then '0 0 * * 0'
                               when '@monthly' then '0 0 1 * *' when '@yearly' then '0 0 1 1 *'
                               when '@annually' then '0 0 1 1 *' else v_cron end;
  if v_cron ~ '^@' then
    perform pgcrew.cron_wrong(format('"%s" is not known', split_part(v_cron, ' ', 1)));
  end if;
  v_fields := regexp_split_to_array(v_cron, '[ \t]+');
  if cardinality(v_fields) <> 5 then
    perform pgcrew.cron_wrong(format('"%s" has %s fields, not 5%s', v_cron, cardinality(v_fields),
                                     case when cardinality(v_fields) = 6 then ' (there are no seconds; see @every)' end));
  end if;
  minutes := pgcrew.cron_field(v_fields[1], 'minute', 0, 59, null);
  hours := pgcrew.cron_field(v_fields[2], 'hour', 0, 23, null);
  days := pgcrew.cron_field(v_fields[3], 'day', 1, 31, null);
  months := pgcrew.cron_field(v_fields[4], 'month', 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
  weekdays := array(select distinct i % 7 from unnest(pgcrew.cron_field(v_fields[5], 'weekday', 0, 7, '{sun,mon,tue,wed,thu,fri,sat}')) i);
  any_hour := v_fields[2] like '*%';
  either := v_fields[3] not like '*%' and v_fields[5] not like '*%';
end
$fn$;

-- The next day, from that one on; null: there is none in 41 years, so there never is one (a
-- weekday comes back to February 29 after 40 years at the latest).
create or replace function pgcrew.cron_day(
  p_from date, p_days int[], p_months int[], p_weekdays int[], p_either bool) returns date
language plpgsql immutable set search_path = pg_catalog, pg_temp as $fn$
declare
  v_month date := date_trunc('month', p_from::timestamp)::date;
  v_day   date;
begin
  for v_round in 0 .. 41 * 12 loop
    if extract(month from v_month) = any (p_months) then
      select min(d.day) into v_day from (select v_month + i as day from generate_series(0, 30) i) d
       where d.day >= p_from and extract(month from d.day) = extract(month from v_month)
         and case when p_either
                  then extract(day from d.day) = any (p_days) or extract(dow from d.day) = any (p_weekdays)
                  else extract(day from d.day) = any (p_days) and extract(dow from d.day) = any (p_weekdays) end;
      if v_day is not null then
        return v_day;
      end if;
    end if;
    v_month := (v_month + interval '1 month')::date;
  end loop;
  return null;
end
$fn$;

-- The moment of a local time: the first, where the clock shows it twice; where it leaves the time
-- out, the moment of that.
create or replace function pgcrew.cron_moment(p_local timestamp, p_timezone text) returns timestamptz
language plpgsql immutable set search_path = pg_catalog, pg_temp as $fn$
declare
  -- Twice: the second.  Left out: as if the clock had not been changed yet.
  v_at     timestamptz := p_local at time zone p_timezone;
  v_from   timestamptz := v_at - interval '24 h';
  v_before interval := (v_from at time zone p_timezone) - (v_from at time zone 'UTC');
  v_first  timestamptz := (p_local - v_before) at time zone 'UTC';
  v_low    int := 0;
  v_high   int := 86400;
  v_middle int;
  v_try    timestamptz;
begin
  if v_at at time zone p_timezone = p_local then
    return case when v_first < v_at and v_first at time zone p_timezone = p_local then v_first else v_at end;
  end if;
  -- Within these 24 hours the clock was changed.
  while v_high - v_low > 1 loop
    v_middle := (v_low + v_high) / 2;
    v_try := v_from + v_middle * interval '1 s';
    if (v_try at time zone p_timezone) - (v_try at time zone 'UTC') = v_before then
      v_low := v_middle;
    else
      v_high := v_middle;
    end if;
  end loop;
  return v_from + v_high * interval '1 s';
end
$fn$;

-- The name of a time zone as it is written; an error for any other.  PostgreSQL takes more for a time
-- zone than has a name: its "UTC+2" is two hours west.
create or replace function pgcrew.timezone_name(p_timezone text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_name text := (select z.name from pg_timezone_names z where lower(z.name) = lower(p_timezone) order by z.name limit 1);
begin
  if v_name is null then
    raise exception 'time zone "%" is not known', p_timezone
      using errcode = '22023', hint = 'a name of pg_timezone_names, such as Europe/Berlin';
  end if;
  return v_name;
end
$fn$;

-- The first time after that one.  Local times that the clock leaves out, when summer begins, are
-- due at the moment after; those that it shows twice, when summer ends, are due the first time.
-- Hours that begin with * are due each time the clock shows them, and not when it does not.
--   22023  the text is wrong, or never comes; the time zone is unknown; the time is out of range
create or replace function pgcrew.cron_next(p_cron text, p_timezone text, p_after timestamptz) returns timestamptz
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  c        record;
  v_local  timestamp;
  v_day    date;
  v_at     timestamptz;
  v_minute int;
  v_jump   interval;
begin
  select * into c from pgcrew.cron_parse(p_cron);
  if (p_after >= '1900-01-01' and p_after < '9900-01-01') is not true then
    raise exception 'the time must be in the years 1900 to 9899' using errcode = '22023';
  elsif coalesce(p_timezone, '') = '' then
    raise exception 'there must be a time zone' using errcode = '22023';
  end if;
  if c.every is not null then
    return p_after + c.every;
  end if;

  v_local := p_after at time zone p_timezone;
  v_day := pgcrew.cron_day(v_local::date, c.days, c.months, c.weekdays, c.either);
  if not c.any_hour then
    while v_day is not null loop
      for v_local in
        select l.at from (select v_day + make_interval(hours => h, mins => m) as at
                            from unnest(c.hours) h, unnest(c.minutes) m) l
         where l.at > p_after at time zone p_timezone order by l.at
      loop
        v_at := pgcrew.cron_moment(v_local, p_timezone);
        if v_at > p_after then
          return v_at;
        end if;
      end loop;
      v_day := pgcrew.cron_day(v_day + 1, c.days, c.months, c.weekdays, c.either);
    end loop;
  end if;

  -- By leaps where the clock is not changed on the way, else from minute to minute.
  v_at := (date_trunc('minute', p_after at time zone 'UTC') + interval '1 min') at time zone 'UTC';
  while v_day is not null and v_at < p_after + interval '41 years' loop
    v_local := v_at at time zone p_timezone;
    v_day := pgcrew.cron_day(v_local::date, c.days, c.months, c.weekdays, c.either);
    if v_day is distinct from v_local::date then
      v_at := greatest(v_at + interval '1 min', pgcrew.cron_moment(v_day, p_timezone));
      continue;
    end if;
    v_minute := extract(minute from v_local);
    if extract(hour from v_local) <> all (c.hours) then
      v_jump := make_interval(mins => 60 - v_minute);
    elsif v_minute <> all (c.minutes) then
      v_jump := make_interval(mins => coalesce((select min(m) from unnest(c.minutes) m where m > v_minute), 60) - v_minute);
    else
      return v_at;
    end if;
    v_at := v_at + case when (v_at + v_jump) at time zone p_timezone = v_local + v_jump then v_jump else interval '1 min' end;
  end loop;
  perform pgcrew.cron_wrong(format('"%s" never comes', btrim(p_cron)));
end
$fn$;

-- 3. what people ask for ---------------------------------------------------------

-- Make a schedule, or change the one of that name: when it is due next.  What it is due next
-- stays when cron text and time zone do, so that the same can be put again and again; a pause stays.
create or replace function pgcrew.put_schedule(
  p_name text, p_cron text, p_kind text, p_payload jsonb default '{}', p_timezone text default 'UTC',
  p_queue text default 'default', p_priority int default 0, p_max_attempts int default 5,
  p_catch_up text default 'one', p_overlap bool default true, p_by text default null)
returns timestamptz
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_zone  text := pgcrew.timezone_name(p_timezone);
  v_next  timestamptz;
  v_wrong text;
begin
  v_next := pgcrew.cron_next(p_cron, v_zone, clock_timestamp());
  v_wrong := case when (length(p_name) between 1 and 100) is not true then 'the name of a schedule must have 1 to 100 characters'
                  when (length(p_kind) between 1 and 100) is not true then 'kind must have 1 to 100 characters'
                  when (length(p_queue) between 1 and 100) is not true then 'queue must have 1 to 100 characters'
                  when (p_priority between 0 and 9) is not true then 'priority must be 0 to 9'
                  when (p_max_attempts between 1 and 32767) is not true then 'max_attempts must be 1 to 32767'
                  when (p_catch_up in ('none', 'one', 'all')) is not true then 'catch_up must be none, one or all' end;
  if v_wrong is not null then
    raise exception '%', v_wrong using errcode = '23514';
  end if;

  insert into pgcrew.schedules as s (name, cron, timezone, kind, queue, payload, priority, max_attempts, catch_up, overlap,
                                     made_by, next_at)
  values (p_name, btrim(p_cron, E' \t'), v_zone, p_kind, p_queue, coalesce(p_payload, '{}'), p_priority, p_max_attempts,
          p_catch_up, coalesce(p_overlap, true), left(coalesce(p_by, session_user), 100), v_next)
  on conflict (name) do update
     set cron = excluded.cron, timezone = excluded.timezone, kind = excluded.kind, queue = excluded.queue,
         payload = excluded.payload, priority = excluded.priority, max_attempts = excluded.max_attempts,
         catch_up = excluded.catch_up, overlap = excluded.overlap, made_by = excluded.made_by,
         made_at = clock_timestamp(), note = null, error = null,
         next_at = case when s.paused_at is not null then null
                        when s.cron = excluded.cron and s.timezone = excluded.timezone and s.next_at is not null then s.next_at
                        else excluded.next_at end
  returning s.next_at into v_next;
  perform pg_notify('pgcrew', 'scheduled');
  return v_next;
end
$fn$;

-- The jobs that it has put in stay.  False: there was none of that name.
create or replace function pgcrew.remove_schedule(p_name text) returns bool
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
begin
  delete from pgcrew.schedules s where s.name = p_name;
  return found;
end
$fn$;

create or replace function pgcrew.lock_schedule(p_name text) returns pgcrew.schedules
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  s pgcrew.schedules;
begin
  select * into s from pgcrew.schedules x where x.name = p_name for update;
  if not found then
    raise exception 'there is no schedule "%"', p_name using errcode = 'P0002';
  end if;
  return s;
end
$fn$;

-- It puts no more jobs in; what comes to be due meanwhile is not caught up.  False: it was paused.
create or replace function pgcrew.pause_schedule(p_name text, p_by text default null) returns bool
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
begin
  perform pgcrew.lock_schedule(p_name);
  update pgcrew.schedules s
     set paused_at = clock_timestamp(), paused_by = left(coalesce(p_by, session_user), 100), next_at = null
   where s.name = p_name and s.paused_at is null;
  return found;
end
$fn$;

-- False: it was not paused.
create or replace function pgcrew.resume_schedule(p_name text) returns bool
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  s pgcrew.schedules := pgcrew.lock_schedule(p_name);
begin
  if s.paused_at is null then
    return false;
  end if;
  s.next_at := pgcrew.cron_next(s.cron, s.timezone, clock_timestamp());
  update pgcrew.schedules x set paused_at = null, paused_by = null, next_at = s.next_at where x.name = p_name;
  perform pg_notify('pgcrew', 'scheduled');
  return true;
end
$fn$;

-- A job of it: its id; null: the one before has not ended, and may not overlap.
create or replace function pgcrew.schedule_job(s pgcrew.schedules, p_at timestamptz) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_key        text := case when not s.overlap then 'schedule:' || s.name end;
  v_id         bigint;
  v_constraint text;
begin
  if exists (select from pgcrew.unique_keys k where k.key = v_key) then
    return null;
  end if;
  insert into public.jobs (kind, payload, queue, priority, run_at, user_id, max_attempts, unique_key)
  values (s.kind, s.payload, s.queue, s.priority, p_at, null, s.max_attempts, v_key)
  returning id into v_id;
  return v_id;
exception when unique_violation then
  get stacked diagnostics v_constraint = constraint_name;
  if v_constraint is distinct from 'unique_keys_pkey' then
    raise;
  end if;
  return null;
end
$fn$;

-- A job of it now, whatever its times are, and also while it is paused: its id; null as above.
create or replace function pgcrew.run_schedule(p_name text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  s    pgcrew.schedules := pgcrew.lock_schedule(p_name);
  v_id bigint := pgcrew.schedule_job(s, clock_timestamp());
begin
  if v_id is not null then
    update pgcrew.schedules x set last_at = clock_timestamp(), last_job_id = v_id where x.name = p_name;
  end if;
  return v_id;
end
$fn$;

-- 4. what the janitors do --------------------------------------------------------

-- The times of a schedule that are due and get a job, the first to the last; none of those that
-- are more than a minute late if it does not catch up.  all: not more than a hundred, the first.
create or replace function pgcrew.due_times(s pgcrew.schedules, p_now timestamptz) returns timestamptz[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $fn$
declare
  v_every interval := (pgcrew.cron_parse(s.cron)).every;
  v_at    timestamptz := s.next_at;
  v_all   timestamptz[] := '{}';
begin
  if s.catch_up = 'none' and v_at < p_now - interval '1 min' then
    v_at := case when v_every is null then pgcrew.cron_next(s.cron, s.timezone, p_now - interval '1 min')
                 else v_at + v_every * ceil(extract(epoch from p_now - interval '1 min' - v_at) / extract(epoch from v_every)) end;
  end if;
  while v_at <= p_now and cardinality(v_all) < case s.catch_up when 'all' then 100 else 1 end loop
    v_all := v_all || v_at;
    v_at := pgcrew.cron_next(s.cron, s.timezone, v_at);
  end loop;
  return v_all;
end
$fn$;

-- What is due next, after what is due now.  An interval goes on in its steps.
create or replace function pgcrew.next_time(s pgcrew.schedules, p_now timestamptz) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $fn$
declare
  v_every interval := (pgcrew.cron_parse(s.cron)).every;
begin
  if v_every is null then
    return pgcrew.cron_next(s.cron, s.timezone, p_now);
  end if;
  return s.next_at + v_every * (floor(extract(epoch from p_now - s.next_at) / extract(epoch from v_every)) + 1);
end
$fn$;

-- One schedule that is due and locked: the number of its jobs.
create or replace function pgcrew.run_due(s pgcrew.schedules, p_now timestamptz) returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $fn$
declare
  v_jobs  int := 0;
  v_times timestamptz[];
  v_at    timestamptz;
  v_id    bigint;
  v_note  text;
  v_error text;
  v_next  timestamptz;
begin
  -- Whatever is wrong with this one, the others go on, and so does what is done besides.
  begin
    v_next := pgcrew.next_time(s, p_now);
    v_times := pgcrew.due_times(s, p_now);
    v_note := case cardinality(v_times) when 0 then format('missed: %s', s.next_at at time zone s.timezone)
                                        when 100 then 'of the times that were missed, the first 100 got a job' end;
    foreach v_at in array v_times loop
      v_id := pgcrew.schedule_job(s, v_at);
      if v_id is null then
        v_note := format('the job before had not ended at %s', v_at at time zone s.timezone);
        exit;
      end if;
      v_jobs := v_jobs + 1;
      s.last_at := v_at;
      s.last_job_id := v_id;
    end loop;
  exception when others then
    v_error := sqlerrm;
    v_note := null;
    v_jobs := 0;
    -- What may be over soon is tried again soon.
    v_next := case when sqlstate ~ '^(40|53|55|57)' then p_now + interval '5 s' else coalesce(v_next, p_now + interval '1 h') end;
  end;
  update pgcrew.schedules x
     set next_at = v_next, note = v_note, error = v_error,
         last_at = case when v_jobs > 0 then s.last_at else x.last_at end,
         last_job_id = case when v_jobs > 0 then s.last_job_id else x.last_job_id end
   where x.name = s.name;
  return v_jobs;
end
$fn$;

-- Put in the jobs of what is due.  next_due_ms: when to come again, null if nothing will be due.
-- The janitor's leases must not wait for locks of others: hence the limits.
create or replace function pgcrew.run_schedules(p_max int)
returns table (jobs int, next_due_ms bigint)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '500ms' set plan_cache_mode = force_generic_plan set jit = off
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off as $fn$
#variable_conflict use_column
declare
  v_now  timestamptz := clock_timestamp();
  v_seen int := 0;
  v_more bool := false;
  s      pgcrew.schedules;
begin
  jobs := 0;
  for s in
    select * from pgcrew.schedules x where x.next_at <= v_now order by x.next_at limit p_max for update skip locked
  loop
    jobs := jobs + pgcrew.run_due(s, v_now);
    v_seen := v_seen + 1;
    v_more := v_seen = p_max or clock_timestamp() > v_now + interval '1 s';
    exit when v_more;
  end loop;
  next_due_ms := (select greatest(0, ceil(extract(epoch from x.next_at - clock_timestamp()) * 1000))
                    from pgcrew.schedules x where x.next_at > v_now order by x.next_at limit 1);
  -- Somebody has locked those that are left, and will not have by then.
  if exists (select from pgcrew.schedules x where x.next_at <= v_now) then
    next_due_ms := least(next_due_ms, case when v_more then 0 else 500 end);
  end if;
  return next;
end
$fn$;

-- 5. who may call what -----------------------------------------------------------

-- The others are helpers: nobody's.
revoke all on all functions in schema pgcrew from public, anon, authenticated;
grant execute on function
  pgcrew.cron_next(text, text, timestamptz),
  pgcrew.timezone_name(text),
  pgcrew.put_schedule(text, text, text, jsonb, text, text, int, int, text, bool, text),
  pgcrew.remove_schedule(text),
  pgcrew.pause_schedule(text, text),
  pgcrew.resume_schedule(text),
  pgcrew.run_schedule(text),
  pgcrew.run_schedules(int)
to pgcrew_worker, service_role;

-- 6. say so ----------------------------------------------------------------------

insert into pgcrew.migrations (version, file) values (6, '006_schedules.sql')
on conflict (version) do nothing;

do $do$
begin
  -- A later file says more.
  if (select max(version) from pgcrew.migrations) = 6 then
    comment on table public.jobs is 'pgcrew job queue; schema version 6; programs since 5';
  end if;
end
$do$;

notify pgrst, 'reload schema';
