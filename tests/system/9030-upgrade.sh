#!/usr/bin/env bash
# Upgrades under load.  Two hosts work on one database: a machine with the package, which
# gets the next version, its migration, and the old version again; and this one, which stays
# at the old version.  Then a daemon that hangs, and a stop that takes longer than the unit
# allows.  A ledger outside of the database says what ran.
# timeout: 900
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/nspawn.sh"
. "$(dirname "$0")/../lib/ledger.sh"

why_not=$(nspawn_why_not)
[ -z "$why_not" ] || skip_all "$why_not"
make_package
make_next_package
mapfile -t depends < <(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g')
nspawn_fetch postgresql "${depends[@]}" || skip_all 'mmdebstrap cannot make a machine: is the Debian archive away?'

pg_start && migrate || bail 'no database'
daemon_setup
ledger_setup "$daemon_dir/ledger"
sql 'alter role pgcrew_worker login'
# The machine reaches this host's server and ledger by folders: it has no network.
nspawn_options=(--bind="$PGHOST":/srv/pg --bind="$ledger":/srv/ledger)
at_exit 'nspawn_cleanup'
nspawn_boot || bail 'the machine does not boot'
in_machine systemctl stop postgresql >/dev/null 2>&1

# --- words for the tests below ------------------------------------------------------------

unit() { in_machine systemctl show -P "$1" pgcrew.service; }
unit_is() { [ "$(unit "$1")" = "$2" ]; }
unit_says() { unit StatusText | grep -Eq "$1"; }
in_log() { in_machine journalctl -u pgcrew --since "@$1" -o cat | grep -Eq "$2"; } # SECONDS REGEX
version_there() { in_machine dpkg-query -W -f '${Version}' pgcrew; }
versions_at_work() { [ "$(sql "select string_agg(distinct version, ' ' order by version) from pgcrew.workers where seen_at + lease > now()")" = "$1" ]; }
main_is_not() { local main; main=$(unit MainPID); [ "$main" != 0 ] && [ "$main" != "$1" ]; }

# goes_on HOST: it begins twenty more jobs
goes_on() {
    local target=$(($(ledger_begun "$1") + 20))
    wait_for 40 begun_on "$1" "$target"
}
begun_on() { [ "$(ledger_begun "$1")" -ge "$2" ]; }
begun() { grep -q "^begin $1 " "$ledger/lines"; }

# quietly cmd...: its output is not ours to print, unless it fails
quietly() {
    "$@" >"$daemon_dir/said" 2>&1 </dev/null || { sed 's/^/# /' "$daemon_dir/said"; return 1; }
}
said() { grep -Eq -- "$1" "$daemon_dir/said"; }

drop_in() {
    mkdir -p "$nspawn_dir/root/etc/systemd/system/pgcrew.service.d"
    printf '[Service]\n%s\n' "$2" >"$nspawn_dir/root/etc/systemd/system/pgcrew.service.d/$1.conf"
    in_machine systemctl daemon-reload
}

produce() {
    while [ -e "$daemon_dir/flows" ]; do
        ledger_enter "
            with n as (select greatest(0, 40 - count(*)) as missing from pgcrew.ready)
            insert into public.jobs (kind, payload)
            select case when i % 20 = 0 then 'long' else 'quick' end,
                   to_jsonb(case when i % 20 = 0 then 1500 else 20 + i % 80 end)
              from n, generate_series(1, missing) i returning id"
        sleep 0.1
    done
}

# --- two hosts --------------------------------------------------------------------------------

options=(worker.count=2 worker.slots=2 worker.drain_timeout=10s worker.kill_grace=500ms queue.lease=10s
    queue.poll_interval=300ms)
mkdir -p "$nspawn_dir/root/usr/local/bin"
machine_put "$ledger_handler" /usr/local/bin/ledger-handler
machine_put "$deb" /root/this.deb
machine_put "$next_deb" /root/next.deb
drop_in test 'ReadWritePaths=/srv/ledger'
ok 'the package installs'                            quietly in_machine dpkg -i /root/this.deb
{
    echo 'name: machine'
    echo 'database.url: host=/srv/pg dbname=postgres user=pgcrew_worker'
    printf '%s\n' "${options[@]/=/: }"
    echo 'handlers:'
    for kind in quick long here; do
        echo "  $kind: {exec: [/bin/bash, /usr/local/bin/ledger-handler, /srv/ledger, machine]}"
    done
} >"$nspawn_dir/root/etc/pgcrew/pgcrew.yaml"
edited=$(in_machine md5sum /etc/pgcrew/pgcrew.yaml)
ok 'its service starts'                              quietly in_machine systemctl start pgcrew
handlers "  quick: {exec: [/bin/bash, $ledger_handler, $ledger, host]}
  long: {exec: [/bin/bash, $ledger_handler, $ledger, host]}"
write_config "${options[@]}"
run_daemon
ok 'both hosts have their workers'                   wait_for 40 workers_hold 4
touch "$daemon_dir/flows"
at_exit 'rm -f "$daemon_dir/flows"'
produce &
producer=$!
ok 'jobs flow on one'                                goes_on machine
ok 'and on the other'                                goes_on host
ledger_mark

# --- to the next version ------------------------------------------------------------------------

this=$(version_there)
main=$(unit MainPID)
ok 'an upgrade asks nothing'                         quietly in_machine dpkg -i /root/next.deb
is "$(version_there)" '0.9.9-1'                      'the next version is there'
ok 'and its daemon'                                  wait_for 40 main_is_not "$main"
is "$(in_machine md5sum /etc/pgcrew/pgcrew.yaml)" "$edited" 'the edited configuration is kept'
ok 'it wants its migration, and says how'            wait_for 20 unit_says "run 'pgcrew migrate'"
is "$(unit NRestarts)" 0                             'and waits for it'
ok 'the other host goes on'                          goes_on host
ok 'the migration passes while that works'           quietly in_machine pgcrew --database 'host=/srv/pg dbname=postgres user=postgres' migrate
ok 'it is the one that the version brings'           said 'applied .*_next.sql'
ok 'the next version works, without being told'      goes_on machine
ok 'this version works on beside it'                 goes_on host
ok 'the database knows of both'                      wait_for 10 versions_at_work "${this%-*} 0.9.9"
echo "# upgrade, with a migration: nothing began for $(ledger_gap) ms; on that host $(ledger_gap machine) ms"

# --- this version, and the schema of the next -----------------------------------------------------

ok 'this version starts on the newer schema'         stop_daemon
run_daemon
ok 'and works'                                       goes_on host
ok 'its log says that a newer one waits'             logged 'the schema has version [0-9]+, this program is of [0-9]+ and fits'
ok 'doctor says so, too'                             quietly "$build/pgcrew" doctor
ok 'with what to do'                                 said 'the schema has version [0-9]+, this pgcrew is of [0-9]+ and works with it'
ok 'migrate has nothing to do'                       quietly "$build/pgcrew" migrate
ok 'and says why'                                    said 'newer than this tool \([0-9]+\), which works with it'

# --- and back -------------------------------------------------------------------------------------

ledger_mark
main=$(unit MainPID)
ok 'the way back asks nothing'                       quietly in_machine dpkg -i /root/this.deb
is "$(version_there)" "$this"                        'this version is there again'
ok 'and its daemon'                                  wait_for 40 main_is_not "$main"
is "$(in_machine md5sum /etc/pgcrew/pgcrew.yaml)" "$edited" 'the edited configuration is kept'
ok 'it works at once: no migration goes back'        goes_on machine
ok 'both are of one version'                         wait_for 10 versions_at_work "${this%-*}"
echo "# way back, nothing to migrate: nothing began for $(ledger_gap) ms; on that host $(ledger_gap machine) ms"

# --- a daemon that hangs ---------------------------------------------------------------------------

drop_in watchdog 'WatchdogSec=2s'
in_machine systemctl restart pgcrew
ok 'it restarts'                                     goes_on machine
ledger_enter "insert into public.jobs (kind, payload, priority) values ('here', '4000', 1) returning id"
here=$(sql "select max(id) from public.jobs where kind = 'here'")
ok 'a job runs there'                                wait_for 30 begun "$here"
main=$(unit MainPID)
ledger_mark
stopped_at=$EPOCHREALTIME
in_machine kill -STOP "$main"
ok 'a daemon that hangs is replaced'                 wait_for 40 main_is_not "$main"
echo "# watchdog of 2 s, restart after 1 s: a new daemon after $(awk -v a="$stopped_at" -v b="$EPOCHREALTIME" 'BEGIN { print int((b - a) * 1000) }') ms"
is "$(unit NRestarts)" 1                             'by systemd'
ok 'its job is done, when the lease is over'         wait_for 60 job_is "$here" succeeded
is "$(job "$here" attempts)" 1                       'and not charged twice'
ok 'the machine works on'                            goes_on machine

# --- what has become of all of it ------------------------------------------------------------------

rm "$daemon_dir/flows"
wait "$producer"
ok 'every job ends'                                  wait_for 90 all_ended
ledger_check
echo "# ${verdict[jobs]} jobs, ${verdict[attempts]} attempts, ${verdict[given_back]} begun again"
is "${verdict[lost]}" 0                              'no job is lost'
is "${verdict[not_ended]}" 0                         'all succeeded'
is "${verdict[no_effect]}" 0                         'each had its effect'
is "${verdict[concurrent]}" 0                        'none was run twice at a time'
is "${verdict[charged]}" 0                           'what was given back or lost was not charged'
is "$(grep -E 'was killed by|has ended with status|taken away' "$daemon_out")" '' 'nothing ended on the other host that was not told to'
stop_daemon

# --- a stop that takes longer than the unit allows ------------------------------------------------------

drop_in stop 'TimeoutStopSec=2s'
in_machine systemctl restart pgcrew
short=$(enqueue here 6000) endless=$(enqueue here 600000)
full() { [ "$(sql "select count(*) from public.jobs where kind = 'here' and status = 'running'")" = 4 ]; }
more=$(enqueue here 600000) evenmore=$(enqueue here 600000)
ok 'four jobs fill the machine'                      wait_for 30 full
waiting=$(enqueue here 600000)
begun_at=$EPOCHSECONDS
in_machine systemctl stop pgcrew
echo "# it stopped after $((EPOCHSECONDS - begun_at)) s, of which it may drain for 10"
is "$(unit Result) $(unit ActiveState)" 'success inactive' 'a drain of more than TimeoutStopSec is no failure'
is "$(job "$short" "status || attempts")" succeeded1 'a job of six seconds ends'
is "$(sql "select string_agg(status || attempts, ' ') from public.jobs where id in ($endless, $more, $evenmore, $waiting)")" \
    'queued0 queued0 queued0 queued0'                'the rest is given back, not charged'
is "$(sql 'select count(*) from pgcrew.ready')" 4    'to be claimed at once'
is "$(sql "select count(*) from pgcrew.workers")" 0  'no lease is left behind'
not_ok 'systemd killed nobody'                       in_log "$begun_at" 'Killing process|timed out'
done_testing
