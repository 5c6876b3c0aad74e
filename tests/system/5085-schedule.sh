#!/usr/bin/env bash
# schedule add, list, pause, resume, run, next, remove; and a real daemon that keeps to them.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
pg_start && migrate || bail 'no database'
daemon_setup
export PGCREW_CONTROL_SOCKET=$daemon_socket

# --- the tool -----------------------------------------------------------------------------

tool schedule list
status_is 1 'no schedules: status 1'
is "$out" 'no schedules'                       'and it says so'
tool schedule add night '30 2 * * *' report '{"to": "ann"}' --timezone europe/berlin --queue slow --priority 3 \
    --max-attempts 2 --catch-up none --overlap no --json
status_is 0 'a schedule is added'
is "$(field '.schedules[0].what')" added       'and it says so'
tool schedule list --json
is "$(field '.schedules[0] | [.name, .cron, .timezone, .kind, .queue, .payload.to, .priority, .max_attempts, .catch_up, .overlap] | join(" ")')" \
    'night 30 2 * * * Europe/Berlin report slow ann 3 2 none false' 'as it was said'
is "$(field '.schedules[0].made_by')" "$(id -un)@$(hostname)" 'and by whom'
echo '[1, 2]' >"$daemon_dir/payload"
tool schedule add night '30 2 * * *' report - --timezone Europe/Berlin <"$daemon_dir/payload"
like "$out" '^night +changed +20'              'the same name changes it'
is "$(sql "select payload, queue, priority, max_attempts, catch_up, overlap from pgcrew.schedules")" '[1, 2]|default|0|5|one|t' \
    'what is not said is as for a new one; the payload comes from standard input'
tool schedule add x '61 * * * *' report
status_is 1 'a text that is none'
like "$errors" 'minute: "61" is not within 0 to 59' 'is refused, and why'
tool schedule add x '@daily' report --timezone Mars/Olympus
like "$status $errors" '^1 .*time zone "Mars/Olympus" is not known' 'so is a zone'
tool schedule add x '@daily' report '{'
status_is 2 'a payload that is no JSON is wrong use'
tool schedule add x '@daily' report --overlap maybe
status_is 2 'so are other values'
tool schedule add x '@daily'
status_is 2 'or no kind'
tool schedule next '0 9 * * mon-fri' --timezone America/New_York --count 3 --json
is "$(field '[.times[].local[:4]] | unique | length')" 3 'three weekdays'
is "$(field '.times[0].timezone')" America/New_York 'there'
is "$(field '[.times[] | (.at | sub("\\.[0-9]+"; "") | fromdate) - now > 0] | all')" true 'all of them to come'
tool schedule next '30 2 * * *' --timezone Europe/Berlin --count 370
like "$out" '^Sun 20[0-9]+-03-[0-9]+ 03:00:00 +20.* 01:00:00' 'in the night in which half past two is left out it is three'
tool schedule next 'never'
status_is 1 'a text that is none has no times'
tool schedule pause night nope
status_is 1 'one that is not there cannot be paused'
is "$(sql 'select paused_at is null from pgcrew.schedules')" t 'and none of the others is'
tool schedule pause night --json
is "$status $(field '.schedules[0].what')" '0 paused' 'paused'
tool schedule list
like "$out" '^night +30 2 \* \* \* +Europe/Berlin +report .* 20[0-9-]+ ' 'a table for people'
tool schedule resume night
like "$out" '^night +resumed$'                 'resumed'
tool schedule run night --json
id=$(field .id)
is "$(job "$id" "kind || payload || status")" 'report[1, 2]queued' 'a job of it by hand'
tool schedule list --json
is "$(field '.schedules[0] | .last_job_id, .last_status' | paste -sd ' ')" "$id queued" 'is its last'
tool schedule run nope
like "$status $errors" '^1 .*there is no schedule "nope"' 'one that is not there has no job'
tool schedule add once '@daily' report --overlap no
tool schedule run once
status_is 0 'one that must not overlap'
tool schedule run once
status_is 1 'has one job at a time'
like "$errors" "may not overlap"               'and says so'
tool schedule remove night once nope --json
is "$status $(field '[.schedules[].what] | join(" ")')" '1 removed unknown removed' 'removed, as far as they are there'
is "$(job "$id" status)" queued                'their jobs stay'
sql 'delete from public.jobs'

# --- a daemon -------------------------------------------------------------------------------

# Looks are far apart: what is due in between the janitor knows from the last one.
handlers "  tick: {exec: [/bin/true]}
  waits: {exec: [/bin/sh, -c, 'until [ -e $daemon_dir/go ]; do sleep 0.02; done']}"
start_daemon worker.count=2 queue.poll_interval=5min
done_of() { [ "$(sql "select count(*) from jobs where kind = '$1' and status = 'succeeded'")" -ge "$2" ]; }
tool schedule add tick '@every 1s' tick
ok 'a schedule starts jobs, again and again'   wait_for 20 done_of tick 3
is "$(sql "select count(distinct run_at) = count(*) from jobs where kind = 'tick'")" t 'one for each time'
is "$(sql "select bool_and(user_id is null and attempts <= 1) from jobs where kind = 'tick'")" t 'that are nobody'"'"'s'
tool schedule pause tick
n=$(sql "select count(*) from jobs where kind = 'tick'")
tool schedule add other '@every 1s' tick
more() { [ "$(sql "select count(*) from jobs where kind = 'tick'")" -ge $((n + $1)) ]; }
ok 'a paused one rests while another works'    wait_for 20 more 2
is "$(sql "select last_at < paused_at from pgcrew.schedules where name = 'tick'")" t 'it has put nothing in since'
tool schedule remove other
tool schedule resume tick
resumed=$(sql "select next_at from pgcrew.schedules where name = 'tick'")
after_resume() { [ "$(sql "select last_at >= '$resumed' from pgcrew.schedules where name = 'tick'")" = t ]; }
ok 'resumed it goes on'                        wait_for 20 after_resume
tool schedule remove tick

tool schedule add alone '@every 1s' waits --overlap no
noted() { [ "$(sql "select note like 'the job before had not ended%' from pgcrew.schedules where name = 'alone'")" = t ]; }
ok 'times that come while its job runs'        wait_for 20 noted
is "$(sql "select count(*) from jobs where kind = 'waits'")" 1 'have none, when jobs must not overlap'
touch "$daemon_dir/go"
two() { [ "$(sql "select count(*) from jobs where kind = 'waits'")" -ge 2 ]; }
ok 'but have when it has ended'                wait_for 20 two
tool schedule remove alone

# --- nobody there ---------------------------------------------------------------------------

sql "delete from jobs"
tool schedule add tick '@every 1s' tick
tool schedule add all '@every 1s' all --catch-up all
kill_daemon
n=$(sql "select coalesce(max(id), 0) from jobs")
late() { [ "$(sql "select bool_and(next_at < now() - interval '4 s') from pgcrew.schedules")" = t ]; }
ok 'times pass while no daemon runs'           wait_for 20 late
sql "update pgcrew.schedules set next_at = next_at - interval '1 min'"
tool doctor --json
like "$(field '.checks[] | select(.check == "waiting jobs") | .level + " " + .finding')" '^error 2 schedules are overdue' 'the doctor sees it'
pg_restart
start_daemon worker.count=1 queue.poll_interval=5min
caught_up() { [ "$(sql "select bool_and(next_at > now() - interval '2 s') from pgcrew.schedules")" = t ]; }
ok 'the next daemon catches up'                wait_for 20 caught_up
for name in tick all; do tool schedule pause $name; done
is "$(sql "select count(*) from jobs where kind = 'tick' and id > $n and run_at < (select min(created_at) from jobs where id > $n)")" 1 \
    'one job for all that was missed'
is "$(sql "select count(*) > 60, count(distinct run_at) = count(*) from jobs where kind = 'all' and id > $n
            and run_at < (select min(created_at) from jobs where id > $n)")" 't|t' 'or one for each'
sql "update pgcrew.schedules set error = 'not today' where name = 'all'"
tool doctor --json
like "$(field '[.checks[] | select(.check == "waiting jobs") | .level + " " + .finding] | join("; ")')" \
    "error schedule 'all' cannot put its jobs in: not today" 'the doctor says what a schedule suffers from'
ok 'the daemon ends well'                      stop_daemon
done_testing
