#!/usr/bin/env bash
# Rolling deploys under load: three hosts on one database are restarted, reloaded, given
# broken and changed configurations and scaled, one after the other and often before the
# last change has settled.  A ledger outside of the database says what ran.
#
#   DEPLOYS=200 SEED=7 LEDGER=/tmp/ledger tests/system/3000-deploys.sh
#
# by hand does more, and leaves ledger and logs in a folder.
# timeout: 240
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
. "$(dirname "$0")/../lib/ledger.sh"

unset PGCREW_CONTROL_SOCKET # each host has one of its own
deploys=${DEPLOYS:-24}
seed=${SEED:-$((RANDOM % 10000))}
hosts=3
echo "# $deploys deploys, seed $seed"
RANDOM=$seed

pg_start && migrate || bail 'no database'
daemon_setup
ledger_setup "$daemon_dir/ledger"
sql "create schema app;
     grant usage on schema app to pgcrew_worker;
     create table app.effects (job_id bigint);
     create function app.effect(p jsonb) returns void language plpgsql security definer set search_path = '' as \$\$
     begin
       insert into app.effects values (current_setting('pgcrew.job_id')::bigint);
       perform pg_sleep(p::text::float / 1000);
     end \$\$;
     alter role pgcrew_worker login"

# --- hosts ---------------------------------------------------------------------------------

declare -a pids workers slots stamps
commands_failed=0 exits_failed=0 broken_taken=0
restarts=0 reloads=0 refusals=0 scalings=0

configure() { # HOST
    local i=$1
    cat >"$daemon_dir/$i.new" <<YAML
name: host$i
database.url: host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=pgcrew_worker
control.socket: $daemon_dir/$i.sock
worker.count: ${workers[$i]}
worker.slots: ${slots[$i]}
worker.drain_timeout: 1s
worker.kill_grace: 500ms
queue.poll_interval: 300ms
queue.lease: 5s
handlers:
  quick: {exec: [/bin/bash, $ledger_handler, $ledger, host$i], open_files: $((${stamps[$i]} % 50 + 100))}
  long: {exec: [/bin/bash, $ledger_handler, $ledger, host$i], slots: 1}
  serve: {serve: [/bin/bash, $ledger_handler, $ledger, host$i, $repo/contrib/handlers/shell/pgcrew-handler.sh], programs: $((${stamps[$i]} % 2 + 1))}
  sql: {sql: app.effect}
  module: {module: $build/tests/unit/trial_module.so, function: keep_ledger, timeout: $((${stamps[$i]} + 30))s}
YAML
    mv "$daemon_dir/$i.new" "$daemon_dir/$i.yaml"
}

# A configuration that differs from the last one, in handlers at least.
change() { # HOST
    stamps[$1]=$((stamps[$1] + 1))
    workers[$1]=$((RANDOM % 3 + 1))
    slots[$1]=$((RANDOM % 4 + 1))
    configure "$1"
}

start() { # HOST
    "$build/pgcrewd" -c "$daemon_dir/$1.yaml" </dev/null >>"$daemon_dir/$1.log" 2>&1 &
    pids[$1]=$!
}

# ask HOST what...: a command of the tool that must not fail
ask() {
    local i=$1
    shift
    tool --socket "$daemon_dir/$i.sock" "$@"
    [ "$status" = 0 ] && return
    commands_failed=$((commands_failed + 1))
    echo "# pgcrew $* on host $i: $errors"
}

answers() { "$build/pgcrew" --socket "$daemon_dir/$1.sock" ping; }
works() { "$build/pgcrew" --socket "$daemon_dir/$1.sock" ping --json | jq -e '.state == "running"'; }
says() { tail -n "+$2" "$daemon_dir/$1.log" | grep -q -- "$3"; }
said_lines() { wc -l <"$daemon_dir/$1.log"; }

# What its supervisor says of exits that nobody has asked for.
add_restarts() { # HOST
    ask "$1" stats --json
    field '.daemon.restarts | to_entries[] | select(.key != "planned" and .value > 0) | "\(.key) \(.value)"' \
        >>"$daemon_dir/unasked"
}

# It was told to end: it does, and well, and starts again.
come_back() { # HOST
    local i=$1
    if ! daemon_pid=${pids[$i]} wait_for 30 daemon_is_gone; then
        echo "# host $i does not end"
        kill -KILL "${pids[$i]}"
    fi
    wait "${pids[$i]}" || { echo "# host $i ended with status $?"; exits_failed=$((exits_failed + 1)); }
    start "$i"
    wait_for 20 answers "$i" || bail "host $i does not come back"
    restarts=$((restarts + 1))
}

# --- what is done to them -----------------------------------------------------------------------

do_term() { add_restarts "$1"; kill -TERM "${pids[$1]}"; come_back "$1"; }
do_stop() { add_restarts "$1"; ask "$1" stop; come_back "$1"; }
do_drain() { add_restarts "$1"; ask "$1" drain; come_back "$1"; }
do_term_twice() { add_restarts "$1"; kill -TERM "${pids[$1]}"; kill -TERM "${pids[$1]}" 2>/dev/null; come_back "$1"; }
do_new_and_term() { change "$1"; kill -HUP "${pids[$1]}"; reloads=$((reloads + 1)); do_term "$1"; }
do_hup() { change "$1"; kill -HUP "${pids[$1]}"; reloads=$((reloads + 1)); }
do_reload() { change "$1"; ask "$1" reload; reloads=$((reloads + 1)); }
do_storm() {
    local n
    for n in 1 2 3; do do_hup "$1"; done
}
do_hup_at_start() { do_term "$1"; do_hup "$1"; }
do_scale() { ask "$1" scale $((RANDOM % 4 + 1)); scalings=$((scalings + 1)); }
do_one_more() { kill -TTIN "${pids[$1]}"; scalings=$((scalings + 1)); }
do_one_less() { kill -TTOU "${pids[$1]}"; scalings=$((scalings + 1)); }

# The old configuration stays in force, both ways to say it.
do_broken() {
    local i=$1 line
    line=$(said_lines "$i")
    echo 'worker.cuont: 3' >>"$daemon_dir/$i.yaml"
    kill -HUP "${pids[$i]}"
    wait_for 10 says "$i" "$((line + 1))" 'everything stays as it is' || broken_taken=$((broken_taken + 1))
    "$build/pgcrew" --socket "$daemon_dir/$i.sock" reload >/dev/null 2>&1 && broken_taken=$((broken_taken + 1))
    configure "$i"
    refusals=$((refusals + 2))
}

actions=(term hup reload stop hup term_twice new_and_term storm drain hup_at_start)
between=(broken scale one_more one_less '' '')

# --- load --------------------------------------------------------------------------------------

# So many of each kind that some always wait; long ones outlast the drain.
produce() {
    while [ -e "$daemon_dir/flows" ]; do
        ledger_enter "
            with n as (select greatest(0, 120 - count(*)) as missing from pgcrew.ready),
            k as (select i, case when i % 60 = 0 then 'long' when i % 6 = 1 then 'serve' when i % 6 = 2 then 'sql'
                                 when i % 6 = 3 then 'module' else 'quick' end as kind
                    from n, generate_series(1, missing) i)
            insert into public.jobs (kind, payload)
            select kind, case kind when 'long' then '2500'::jsonb
                                   when 'module' then jsonb_build_object('ms', i % 50, 'ledger', '$ledger')
                                   when 'sql' then to_jsonb(50 + i % 100)
                                   else to_jsonb(i % 50) end
              from k returning id"
        sleep 0.1
    done
}

for ((i = 1; i <= hosts; i++)); do
    workers[i]=2 slots[i]=2 stamps[i]=0
    configure "$i"
    start "$i"
done
kill_hosts() { kill -KILL "${pids[@]}" 2>/dev/null; rm -f "$daemon_dir/flows"; }
at_exit kill_hosts
for ((i = 1; i <= hosts; i++)); do
    wait_for 20 works "$i" || { cat "$daemon_dir/$i.log"; bail 'a host does not come up'; }
done
touch "$daemon_dir/flows"
produce &
producer=$!
flows() { [ "$(grep -c '^end' "$ledger/lines")" -gt 50 ]; }
ok 'jobs flow' wait_for 30 flows

for ((n = 0; restarts + reloads < deploys; n++)); do
    i=$((n % hosts + 1))
    action=${actions[RANDOM % ${#actions[@]}]}
    [ $((n % 10)) -ge ${#actions[@]} ] || [ "$n" -ge ${#actions[@]} ] || action=${actions[n]}
    other=${between[RANDOM % ${#between[@]}]}
    [ -z "$other" ] || "do_$other" "$((RANDOM % hosts + 1))"
    ledger_mark
    "do_$action" "$i"
    # Two of three deploys wait until the last one is done, the third does not.
    [ $((n % 3)) = 0 ] || wait_for 20 works "$i" || echo "# host $i is not ready after $action"
done
ledger_mark

# --- what has become of it ------------------------------------------------------------------------

rm "$daemon_dir/flows"
wait "$producer"
ok 'every job ends'                                  wait_for 60 all_ended
ok 'nothing is left in the tables of the protocol'   wait_for 10 nothing_left
for ((i = 1; i <= hosts; i++)); do
    add_restarts "$i"
    kill -TERM "${pids[$i]}"
    daemon_pid=${pids[$i]} wait_for 30 daemon_is_gone || echo "# host $i does not end"
    wait "${pids[$i]}" || exits_failed=$((exits_failed + 1))
done

ledger_check
echo "# $restarts restarts, $reloads reloads, $refusals broken configurations, $scalings scalings"
echo "# ${verdict[jobs]} jobs, ${verdict[attempts]} attempts in the ledger, ${verdict[given_back]} given back," \
    "${verdict[done_again]} of them between their last line and their end"
[ -z "${LEDGER:-}" ] || cp -r "$daemon_dir/." "$LEDGER"
echo "# nothing began for: $(ledger_gaps)"
is "${verdict[lost]}" 0                              'no job is lost'
is "${verdict[not_ended]}" 0                         'all succeeded'
is "${verdict[no_effect]}" 0                         'each had its effect'
is "${verdict[concurrent]}" 0                        'none was run twice at a time'
is "${verdict[charged]}" 0                           'what was given back was not charged'
is "${verdict[unexpected]}" 0                        'nothing ran that nobody has entered'
is "$(sql "select count(*) from public.jobs j where kind = 'sql' and 1 <> (select count(*) from app.effects e where e.job_id = j.id)")" 0 \
    'each SQL function had its effect once'
is "$(sql "select string_agg(distinct cause, ' ') from pgcrew.attempts")" '' 'no attempt failed or was lost'
is "$exits_failed" 0                                 'every daemon that was told to end ended with status 0'
is "$broken_taken" 0                                 'every broken configuration was refused'
is "$commands_failed" 0                              'no command of the tool failed'
is "$(cat "$daemon_dir/unasked")" ''                 'no child ended that was not told to'
is "$(grep -hE 'was killed by|has ended with status|should not meet|killing the workers|not told of' "$daemon_dir"/[0-9].log)" '' \
    'and the logs know of none'
strays() { pgrep -f "$daemon_dir" >/dev/null; }
not_ok 'no process is left behind'                   strays
done_testing
