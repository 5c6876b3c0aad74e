#!/usr/bin/env bash
# When schedules are due: by hand, by a walk over every minute, and texts that are none.  And what
# becomes due: jobs, one for each time.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"
queue_start
PGUSER=postgres sql "create table public.times (cron text, zone text, after text, found text); grant all on public.times to pgcrew_worker;
                     create function public.next_time(cron text, zone text, after text) returns timestamptz language plpgsql as
                       \$\$ begin return pgcrew.cron_next(cron, zone, after::timestamptz);
                          exception when sqlstate '22023' then return case when sqlerrm ~ 'never comes' then 'infinity' end; end \$\$"

# compare 'what': each of the table is found; else those that are not are told
compare() {
    is "$(sql "select cron || ' in ' || zone || ' after ' || after || ': ' || x.got || ', not ' || found
                 from public.times t, lateral (select public.next_time(cron, zone, after) as got offset 0) x
                where case when found = '-' then (x.got >= after::timestamptz + interval '40 days') is not true
                           else x.got is distinct from found::timestamptz end")" '' "$1 ($(sql 'select count(*) from public.times'))"
}
fill() { psql -XAtq -v ON_ERROR_STOP=1 -c 'truncate public.times' -c "\\copy public.times from pstdin (delimiter '|')"; }

# The clock of the session must not count, so it is one of the odd ones.
export PGTZ=America/New_York
sed -E 's/ *\| */|/g' <<'END' | fill
* * * * *             | UTC           | 2026-11-24 16:38:19+00 | 2026-11-24 16:39:00+00
* * * * *             | UTC           | 2026-11-24 16:38:00+00 | 2026-11-24 16:39:00+00
* * * * *             | UTC           | 2026-12-31 23:59:59+00 | 2027-01-01 00:00:00+00
0 * * * *             | UTC           | 2026-11-24 16:00:00+00 | 2026-11-24 17:00:00+00
0 * * * *             | Asia/Kolkata  | 2026-11-24 16:00:00+00 | 2026-11-24 16:30:00+00
*/15 * * * *          | UTC           | 2026-11-24 16:44:59+00 | 2026-11-24 16:45:00+00
*/15 * * * *          | UTC           | 2026-11-24 16:45:00+00 | 2026-11-24 17:00:00+00
*/7 * * * *           | UTC           | 2026-11-24 16:56:00+00 | 2026-11-24 17:00:00+00
5-20/5 * * * *        | UTC           | 2026-11-24 16:20:00+00 | 2026-11-24 17:05:00+00
0,30 9-17 * * *       | UTC           | 2026-11-24 17:29:00+00 | 2026-11-24 17:30:00+00
0,30 9-17 * * *       | UTC           | 2026-11-24 17:30:00+00 | 2026-11-25 09:00:00+00
0 */6 * * *           | UTC           | 2026-11-24 18:00:00+00 | 2026-11-25 00:00:00+00
30 6 * * mon-fri      | UTC           | 2026-11-27 06:30:00+00 | 2026-11-30 06:30:00+00
30 6 * * MON-FRI      | Europe/Berlin | 2026-11-27 05:30:00+00 | 2026-11-30 05:30:00+00
0 9 * * sat,sun       | UTC           | 2026-11-24 00:00:00+00 | 2026-11-28 09:00:00+00
0 9 * * fri-sun       | UTC           | 2026-11-28 09:00:00+00 | 2026-11-29 09:00:00+00
0 9 * * fri-sun       | UTC           | 2026-11-29 09:00:00+00 | 2026-12-04 09:00:00+00
0 9 * * sun-tue       | UTC           | 2026-11-24 09:00:00+00 | 2026-11-29 09:00:00+00
0 0 * * 0             | UTC           | 2026-11-24 00:00:00+00 | 2026-11-29 00:00:00+00
0 0 * * 7             | UTC           | 2026-11-24 00:00:00+00 | 2026-11-29 00:00:00+00
0 0 * * 6-7           | UTC           | 2026-11-28 00:00:00+00 | 2026-11-29 00:00:00+00
0 0 1 * *             | UTC           | 2026-11-24 00:00:00+00 | 2026-12-01 00:00:00+00
0 0 31 * *            | UTC           | 2026-11-24 00:00:00+00 | 2026-12-31 00:00:00+00
0 0 31 * *            | UTC           | 2026-12-31 00:00:00+00 | 2027-01-31 00:00:00+00
0 0 31 * *            | UTC           | 2027-01-31 00:00:00+00 | 2027-03-31 00:00:00+00
0 0 30 * *            | UTC           | 2027-01-30 00:00:00+00 | 2027-03-30 00:00:00+00
0 0 1 jan *           | UTC           | 2026-11-24 00:00:00+00 | 2027-01-01 00:00:00+00
0 0 1 1,7 *           | UTC           | 2027-01-01 00:00:00+00 | 2027-07-01 00:00:00+00
0 0 1 */3 *           | UTC           | 2026-11-24 00:00:00+00 | 2027-01-01 00:00:00+00
0 0 1 oct-dec *       | UTC           | 2026-12-01 00:00:00+00 | 2027-10-01 00:00:00+00
0 0 29 2 *            | UTC           | 2026-11-24 00:00:00+00 | 2028-02-29 00:00:00+00
0 0 29 feb *          | UTC           | 2028-02-29 00:00:00+00 | 2032-02-29 00:00:00+00
0 0 29 2 *            | UTC           | 2096-02-29 00:00:00+00 | 2104-02-29 00:00:00+00
0 0 29 2 */7          | UTC           | 2026-11-24 00:00:00+00 | 2032-02-29 00:00:00+00
0 0 29 2 */7          | UTC           | 2088-02-29 00:00:00+00 | 2128-02-29 00:00:00+00
0 0 13 * fri          | UTC           | 2026-11-13 00:00:00+00 | 2026-11-20 00:00:00+00
0 0 13 * fri          | UTC           | 2026-12-11 00:00:00+00 | 2026-12-13 00:00:00+00
0 0 */2 * fri         | UTC           | 2026-11-24 00:00:00+00 | 2026-11-27 00:00:00+00
0 0 */2 * fri         | UTC           | 2026-11-27 00:00:00+00 | 2026-12-11 00:00:00+00
0 0 13 * */5          | UTC           | 2026-11-13 00:00:00+00 | 2026-12-13 00:00:00+00
@hourly               | UTC           | 2026-11-24 16:38:19+00 | 2026-11-24 17:00:00+00
@daily                | Europe/Berlin | 2026-11-24 16:38:19+00 | 2026-11-24 23:00:00+00
@midnight             | UTC           | 2026-11-24 16:38:19+00 | 2026-11-25 00:00:00+00
@weekly               | UTC           | 2026-11-24 16:38:19+00 | 2026-11-29 00:00:00+00
@Monthly              | UTC           | 2026-11-24 16:38:19+00 | 2026-12-01 00:00:00+00
@yearly               | Asia/Tokyo    | 2026-11-24 16:38:19+00 | 2026-12-31 15:00:00+00
@annually             | UTC           | 2026-11-24 16:38:19+00 | 2027-01-01 00:00:00+00
@every 1s             | UTC           | 2026-11-24 16:38:19+00 | 2026-11-24 16:38:20+00
@every 90s            | UTC           | 2026-11-24 16:38:19+00 | 2026-11-24 16:39:49+00
@every 5min           | UTC           | 2026-11-24 16:38:19+00 | 2026-11-24 16:43:19+00
@every 5m             | UTC           | 2026-11-24 16:38:19+00 | 2026-11-24 16:43:19+00
@every 1h30min        | Europe/Berlin | 2026-10-25 00:30:00+00 | 2026-10-25 02:00:00+00
@every 1d             | Europe/Berlin | 2026-10-24 22:00:00+00 | 2026-10-25 22:00:00+00
@every 366d           | UTC           | 2026-11-24 00:00:00+00 | 2027-11-25 00:00:00+00
 	5  4  * * 	*  | UTC           | 2026-11-24 00:00:00+00 | 2026-11-24 04:05:00+00
30 2 * * *            | Europe/Berlin | 2026-03-28 01:30:00+00 | 2026-03-29 01:00:00+00
30 2 * * *            | Europe/Berlin | 2026-03-29 01:00:00+00 | 2026-03-30 00:30:00+00
0,15,30 2 * * *       | Europe/Berlin | 2026-03-29 00:00:00+00 | 2026-03-29 01:00:00+00
0,15,30 2 * * *       | Europe/Berlin | 2026-03-29 01:00:00+00 | 2026-03-30 00:00:00+00
0 3 * * *             | Europe/Berlin | 2026-03-28 02:00:00+00 | 2026-03-29 01:00:00+00
30 2,3 * * *          | Europe/Berlin | 2026-03-29 01:00:00+00 | 2026-03-29 01:30:00+00
30 * * * *            | Europe/Berlin | 2026-03-29 00:30:00+00 | 2026-03-29 01:30:00+00
0 */2 * * *           | Europe/Berlin | 2026-03-28 23:00:00+00 | 2026-03-29 02:00:00+00
30 2 * * *            | Europe/Berlin | 2026-10-24 12:00:00+00 | 2026-10-25 00:30:00+00
30 2 * * *            | Europe/Berlin | 2026-10-25 00:30:00+00 | 2026-10-26 01:30:00+00
30 2 * * *            | Europe/Berlin | 2026-10-25 01:10:00+00 | 2026-10-26 01:30:00+00
30 * * * *            | Europe/Berlin | 2026-10-25 00:30:00+00 | 2026-10-25 01:30:00+00
30 * * * *            | Europe/Berlin | 2026-10-25 01:30:00+00 | 2026-10-25 02:30:00+00
30 */2 * * *          | Europe/Berlin | 2026-10-25 00:30:00+00 | 2026-10-25 01:30:00+00
0 3 * * *             | Europe/Berlin | 2026-10-24 12:00:00+00 | 2026-10-25 02:00:00+00
30 2 * * *            | America/New_York | 2027-03-14 00:00:00+00 | 2027-03-14 07:00:00+00
30 1 * * *            | America/New_York | 2026-11-01 00:00:00+00 | 2026-11-01 05:30:00+00
30 1 * * *            | America/New_York | 2026-11-01 05:30:00+00 | 2026-11-02 06:30:00+00
15 2 * * *            | Australia/Lord_Howe | 2026-10-03 14:00:00+00 | 2026-10-03 15:30:00+00
45 1 * * *            | Australia/Lord_Howe | 2026-04-04 12:00:00+00 | 2026-04-04 14:45:00+00
45 1 * * *            | Australia/Lord_Howe | 2026-04-04 14:45:00+00 | 2026-04-05 15:15:00+00
45 * * * *            | Australia/Lord_Howe | 2026-04-04 14:45:00+00 | 2026-04-04 15:15:00+00
0 0 * * *             | America/Havana | 2026-03-07 12:00:00+00 | 2026-03-08 05:00:00+00
30 0 * * *            | America/Havana | 2026-11-01 00:00:00+00 | 2026-11-01 04:30:00+00
0 12 30 12 *          | Pacific/Apia   | 2011-12-01 00:00:00+00 | 2011-12-30 10:00:00+00
0 * * * *             | Asia/Pyongyang | 2018-05-04 14:30:00+00 | 2018-05-04 15:00:00+00
0 0 1 1 *             | America/Sao_Paulo | 2026-11-24 00:00:00+00 | 2027-01-01 03:00:00+00
END
compare 'times by hand'
seed=${PGCREW_CRON_SEED:-$RANDOM}
python3 "$repo/tests/lib/cron.py" "$seed" 120 | tr '\t' '|' | fill
compare "times by a walk over every minute, seed $seed"

# Texts that are none: one SQLSTATE, and what is wrong.
while IFS='|' read -r cron said; do
    got=$(sql "select pgcrew.cron_next('$cron', 'UTC', now())" -v VERBOSITY=verbose 2>&1)
    like "$got" "ERROR:  22023: .*$said" "'$cron'"
done <<'END'
|a cron text must have 1 to 200 characters
* * * *|"\* \* \* \*" has 4 fields, not 5
* * * * * *|6 fields, not 5 \(there are no seconds
60 * * * *|minute: "60" is not within 0 to 59
* 24 * * *|hour: "24" is not within 0 to 23
* * 0 * *|day: "0" is not within 1 to 31
* * 32 * *|day: "32" is not within 1 to 31
* * * 13 *|month: "13" is not within 1 to 12 \(jan to dec\)
* * * foo *|month: "foo" is not within
* * * * 8|weekday: "8" is not within 0 to 7 \(sun to sat\)
* * * * monday|weekday: "monday" is no number, range
mon * * * *|minute: "mon" is not within
5-3 * * * *|minute: the range "5-3" ends before it begins
* * * * fri-mon|weekday: the range "fri-mon" ends before it begins
*/0 * * * *|minute: the step of "\*/0" is not within 1 to 59
*/60 * * * *|minute: the step of "\*/60" is not within 1 to 59
5/10 * * * *|minute: "5/10" is no number
1,,2 * * * *|minute: "" is no number
-1 * * * *|minute: "-1" is no number
1.5 * * * *|minute: "1.5" is no number
* * L * *|day: "l" is no number
99999999999 * * * *|minute: "99999999999" is no number
0 0 30 2 *|"0 0 30 2 \*" never comes
0 0 31 4,6,9,11 *|never comes
0 */2 31 feb *|never comes
@reboot|"@reboot" is not known
@every|"@every" is not known
@every 0s|@every: must be 1s to 366d
@every 500ms|@every: must be 1s to 366d
@every 367d|@every: must be 1s to 366d
@every 1h 5m|@every: must be
@every 5|@every: must be
END
zone_state() { sqlstate_of "select pgcrew.cron_next('0 0 * * *', $1, $2)"; }
is "$(zone_state "'Mars/Olympus'" 'now()')" 22023 'a zone that is none'
is "$(zone_state "''" 'now()') $(zone_state null 'now()')" '22023 22023' 'no zone'
is "$(zone_state "'UTC'" "'infinity'") $(zone_state "'UTC'" null) $(zone_state "'UTC'" "'1899-12-31'")" '22023 22023 22023' 'moments out of range'
is "$(sqlstate_of "select pgcrew.cron_next(null, 'UTC', now())")" 22023 'no text'
PGUSER=postgres sql "create function public.noise(n int) returns text language plpgsql as \$\$
  declare v text; begin
    for i in 1 .. n loop
      -- Half of the pieces are such as belong there.
      v := (select string_agg(case when random() < 0.6 then (array['*','/','-',',',' ','5','1','59','7','mon','jan','@every ','s','h','  ','0','@daily','31'])[1 + floor(random() * 18)]
                                   else chr(1 + floor(random() * 300)::int) end, '') from generate_series(1, 1 + floor(random() * 12)::int));
      begin perform pgcrew.cron_next(v, case when random() < 0.9 then 'Europe/Berlin' else v end, now());
      exception when sqlstate '22023' then null; when others then return sqlstate || ' ' || sqlerrm || ': ' || v; end;
      v := (select string_agg((array['*','*/2','5','1-3','mon','jan','0','*/5','1,2','31'])[1 + floor(random() * 10)], ' ') from generate_series(1, 5));
      begin perform pgcrew.cron_next(v, 'Europe/Berlin', now());
      exception when sqlstate '22023' then null; when others then return sqlstate || ' ' || sqlerrm || ': ' || v; end;
    end loop; return 'ok'; end \$\$"
is "$(sql 'select public.noise(3000)')" ok 'noise is a time, or refused with 22023'

# Putting one.
put() { sql "select pgcrew.put_schedule($1)"; }
column() { sql "select $2 from pgcrew.schedules where name = '$1'"; }
due() { PGUSER=postgres sql "update pgcrew.schedules set next_at = $2 where name = '$1'"; } # NAME TIME
run() { sql 'select jobs from pgcrew.run_schedules(10)'; }
jobs() { sql "select count(*) from public.jobs where kind = '$1'"; }
heard() {
    psql -XAtq -c 'listen pgcrew' -c "$1" -c 'select 1' | sed -n 's/^Asynchronous notification "pgcrew" with payload "\([a-z]*\)".*/\1/p' | xargs
}
unset PGTZ
is "$(sql 'select * from pgcrew.run_schedules(10)')" '0|' 'no schedules, nothing due'
is "$(put "'a', '* * * * *', 'ka', '{\"x\": 1}'")" "$(sql "select date_trunc('minute', now()) + interval '1 min'")" 'a schedule says when it is due'
is "$(column a 'cron, timezone, kind, queue, payload, priority, max_attempts, catch_up, overlap, made_by, paused_at, last_at')" \
    '* * * * *|UTC|ka|default|{"x": 1}|0|5|one|t|pgcrew_worker||' 'what is not said has a default'
is "$(heard "select pgcrew.put_schedule('a', '@every 1h', 'ka', '7', 'europe/BERLIN', 'q', 3, 2, 'all', false, 'ann')")" scheduled 'janitors are told of a change'
is "$(column a 'cron, timezone, queue, payload, priority, max_attempts, catch_up, overlap, made_by')" \
    '@every 1h|Europe/Berlin|q|7|3|2|all|f|ann' 'all can be changed'
next=$(column a next_at)
put "'a', '@every 1h', 'kb', p_timezone => 'Europe/Berlin'" >/dev/null
is "$(column a next_at) $(column a kind)" "$next kb" 'what is due next stays when the times do'
put "'a', '@every 2h', 'ka'" >/dev/null
not_ok 'and changes with them'                 test "$(column a next_at)" = "$next"
while IFS='|' read -r state what args; do
    is "$(sqlstate_of "select pgcrew.put_schedule($args)")" "$state" "$what"
done <<'END'
22023|not put: a text that is none|'b', 'x', 'k'
22023|a zone without a name|'b', '@daily', 'k', p_timezone => 'UTC+2'
23514|a name that is empty|'', '@daily', 'k'
23514|or too long|repeat('x', 101), '@daily', 'k'
23514|a kind that is none|'b', '@daily', ''
23514|a kind that is too long|'b', '@daily', repeat('x', 101)
23514|a queue that is none|'b', '@daily', 'k', p_queue => ''
23514|a priority that is none|'b', '@daily', 'k', p_priority => 10
23514|no attempts|'b', '@daily', 'k', p_max_attempts => 0
23514|more attempts than fit|'b', '@daily', 'k', p_max_attempts => 40000
23514|another way to catch up|'b', '@daily', 'k', p_catch_up => 'some'
END
is "$(sql 'select count(*) from pgcrew.schedules')" 1 'only the good one is there'
for call in "put_schedule('u', '@daily', 'k')" "remove_schedule('a')" "pause_schedule('a')" "run_schedule('a')" 'run_schedules(1)' "cron_next('@daily', 'UTC', now())"; do
    is "$(as_sqlstate "$user" "select pgcrew.$call")" 42501 "no user calls ${call%%(*}"
done
is "$(as_sqlstate "$user" 'select * from pgcrew.schedules')" 42501 'or sees schedules'

# Running: one job a time.
is "$(run)" 0 'nothing is due'
like "$(sql 'select next_due_ms from pgcrew.run_schedules(10)')" '^71[0-9]{5}$' 'but will be in two hours'
due a "now() - interval '1 s'"
at=$(column a next_at)
is "$(run) $(run)" '1 0'                       'due: one job, once'
is "$(sql "select kind, queue, payload, priority, status, user_id, unique_key, max_attempts, run_at = '$at' from jobs")" \
    'ka|default|{}|0|queued|||5|t'             'as the schedule says, nobody'"'"'s, for its time'
is "$(column a "last_at = '$at', last_job_id = (select max(id) from jobs), next_at - last_at, note, error")" 't|t|02:00:00||' 'it knows its job, and goes on in its steps'
claim=$(claim "$(worker 1)" 1)
is "$(ids_of "$claim")" "$(column a last_job_id)" 'the job can be claimed'
put "'a', '@every 1s', 'ka'" >/dev/null
due a "now() - interval '10.5 s'"
is "$(run) $(column a 'next_at between now() and now() + interval '"'1 s'") $(jobs ka)" '1 t 2' 'ten were missed: one job for all, then as ever'
put "'a', '@every 1s', 'ka', p_catch_up => 'all'" >/dev/null
due a "now() - interval '10.5 s'"
is "$(run) $(column a 'next_at > now()') $(column a note)" '11 t ' 'or one for each'
due a "now() - interval '1 h'"
is "$(run) $(column a 'next_at > now()')" '100 t' 'a hundred at most'
is "$(column a note)" 'of the times that were missed, the first 100 got a job' 'which is noted'
put "'a', '@every 10s', 'none', p_catch_up => 'none'" >/dev/null
due a "now() - interval '1 h'"
is "$(run) $(column a "last_at > now() - interval '61 s', extract(epoch from next_at - last_at)::int % 10")" '1 t|0' 'or none that is more than a minute late'
put "'a', '0 0 * * *', 'none', p_catch_up => 'none'" >/dev/null
due a "date_trunc('day', now() at time zone 'utc' - interval '36 h') at time zone 'utc'"
is "$(run) $(column a 'next_at > now()')" '0 t' 'not if it was yesterday'
like "$(column a note)" '^missed: 20'          'which is noted'
put "'a', '30 2 * * *', 'spring', p_timezone => 'Europe/Berlin', p_catch_up => 'all'" >/dev/null
due a "now() - interval '3 days'"
run >/dev/null
is "$(sql "select count(distinct run_at) = count(*) from jobs where kind = 'spring'")" t 'each time has its own'

# No two at a time.
put "'a', '@every 1s', 'alone', p_overlap => false" >/dev/null
due a 'now()'
is "$(run)" 1                                  'one that must not overlap'
due a 'now()'
is "$(run) $(column a 'next_at > now(), error')" '0 t|' 'has no second job while the first waits'
like "$(column a note)" '^the job before had not ended at 20' 'which is noted'
is "$(sql "select pgcrew.run_schedule('a')")" '' 'nor by hand'
claim=$(claim "$(worker 2)" 1)
due a 'now()'
is "$(run)" 0                                  'nor while it runs'
sql "select pgcrew.cancel_jobs(array[(select max(id) from jobs where kind = 'alone')])" >/dev/null
holder=$(sql "select holder from pgcrew.claims where token = $(token_of "$claim")")
finish "$holder" "$(token_of "$claim")" "$(ids_of "$claim")" cancelled >/dev/null
sql "select pgcrew.cancel_jobs(array(select id from jobs where kind = 'alone' and status = 'queued'))" >/dev/null
due a 'now()'
is "$(run) $(column a note)" '1 '              'when it has ended, it has'

# Pause, resume, remove, by hand.
is "$(sql "select pgcrew.pause_schedule('a', 'bob'), pgcrew.pause_schedule('a')")" 't|f' 'it can be paused'
is "$(column a 'next_at, paused_by')" '|bob'   'then it is not due'
put "'a', '@every 1s', 'ka'" >/dev/null
is "$(column a 'next_at, paused_at is null')" '|f' 'also when it is changed'
before=$(jobs ka)
id=$(sql "select pgcrew.run_schedule('a')")
is "$(sql "select id from jobs where kind = 'ka' order by id desc limit 1") $(jobs ka) $(column a last_job_id)" \
    "$id $((before + 1)) $id"                  'but can be run by hand'
is "$(heard "select pgcrew.resume_schedule('a')")" scheduled 'and resumed, of which janitors are told'
is "$(column a "next_at between now() - interval '1 s' and now() + interval '1 s', paused_at, paused_by")" 't||' 'what was missed is not caught up'
is "$(sql "select pgcrew.resume_schedule('a')")" f 'once'
for call in pause_schedule resume_schedule run_schedule; do
    is "$(sqlstate_of "select pgcrew.$call('nope')")" P0002 "$call of none says so"
done
is "$(sql "select pgcrew.remove_schedule('nope')")" f 'so does removing'

# One that fails harms nobody.
put "'b', '@every 1h', 'good'" >/dev/null
PGUSER=owner sql "create function public.refuse() returns trigger language plpgsql as 'begin if new.kind = ''ka'' then raise exception ''not today''; end if; return new; end';
                  create trigger refuse before insert on public.jobs for each row execute function public.refuse()"
due a "now() - interval '2 s'"
due b "now() - interval '1 s'"
is "$(run) $(jobs good)" '1 1'                 'the others have their jobs'
is "$(column a 'error, next_at > now()')" 'not today|t' 'it has an error, and another time'
PGUSER=owner sql 'drop trigger refuse on public.jobs'
due a 'now()'
is "$(run) $(column a error)" '1 '             'until it works again'
put "'a', '@every 1h', 'ka'" >/dev/null
put "'b', '@every 1h', 'good', p_overlap => false" >/dev/null
due b 'now()'
psql -XAtq >"$pg_dir/held" <<END &
begin;
insert into public.jobs (kind, unique_key) values ('mine', 'schedule:b') returning 'held';
select pg_sleep(3);
rollback;
END
ok '(somebody holds its key)'                  wait_for 5 test -s "$pg_dir/held"
is "$(run) $(column b 'error, extract(epoch from next_at - now())::int between 3 and 5')" '0 canceling statement due to lock timeout|t' \
    'a lock of others is not waited for: it is tried again soon'
wait
due b 'now()'
is "$(run) $(column b error)" '1 '             'and then has its job'
is "$(broken)" ''                              'everything agrees'
is "$(sql "select pgcrew.remove_schedule('a'), pgcrew.remove_schedule('b'), (select count(*) from jobs where kind = 'good')")" 't|t|2' 'removed: the jobs stay'
done_testing
