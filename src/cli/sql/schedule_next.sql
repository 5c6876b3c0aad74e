-- schedule_next: when a schedule with this text would be due.
-- $1 text cron, $2 text time zone, $3 int how many times
with recursive zone as (select pgcrew.timezone_name($2::text) as name),
times (nth, at) as (
  select 1, pgcrew.cron_next($1::text, z.name, clock_timestamp()) from zone z
  union all
  select t.nth + 1, pgcrew.cron_next($1::text, z.name, t.at) from times t, zone z where t.nth < $3::int)
select t.at, to_char(t.at at time zone z.name, 'Dy YYYY-MM-DD HH24:MI:SS') as local, z.name as timezone
  from times t, zone z order by t.nth
