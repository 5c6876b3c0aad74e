#!/usr/bin/env bash
# A program that takes too much is stopped alone: its neighbours end as they should.
# The daemon runs as an ordinary user, on a host whose control groups are not its own.
# timeout: 240
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

# --- a daemon without privileges -----------------------------------------------------------

PEEP='for p in $PPID $(cut -d" " -f4 /proc/$PPID/stat); do for f in environ mem maps; do head -c 1 /proc/$p/$f >/dev/null && echo saw $f; done; ls /proc/$p/fd >/dev/null && echo saw fd; done; echo nothing more'
handlers "  hog: {exec: [/usr/bin/perl, -e, '\$x = \"x\" x 300_000_000; print 1'], memory: 64MiB}
  bomb: {exec: [/bin/sh, -c, 'i=0; while [ \$i -lt 1000 ]; do i=\$((i + 1)); sleep 1000 & done; wait'], processes: 50}
  spin: {exec: [/bin/sh, -c, 'while :; do :; done'], cpu_time: 1s}
  large: {exec: [/bin/sh, -c, 'exec head -c 100000000 /dev/zero >f'], file_size: 10MiB}
  fill: {exec: [/bin/sh, -c, 'i=0; while :; do i=\$((i + 1)); head -c 1000000 /dev/zero >f\$i; sleep 0.02; done'], tmp_size: 10MiB}
  offline: {exec: [/usr/bin/perl, -e, 'use Socket; print socket(my \$s, AF_INET, SOCK_STREAM, 0) ? \"open\" : \"shut\"'], network: no}
  peep: {exec: [/bin/sh, -c, '$PEEP']}
  other: {exec: [/usr/bin/id, -un], user: daemon}
  good: {exec: [/bin/sh, -c, 'touch f; sleep 0.3; ls'], memory: 512MiB, processes: 50, cpu_time: 1min, file_size: 10MiB, tmp_size: 10MiB}"
ordinary=()
[ "$(id -u)" -ne 0 ] || ordinary=(setpriv --reuid nobody --regid nogroup --clear-groups)
export TMPDIR="$daemon_dir/tmp"
mkdir -m 1777 "$TMPDIR"
chmod 711 "$daemon_dir"
[ "$(id -u)" -ne 0 ] || chown nobody "$daemon_dir"
# Only --check says that another user cannot be had: the other kinds are worked off all the same.
run_daemon() {
    chmod 644 "$daemon_config"
    "${ordinary[@]}" "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
    daemon_pid=$!
}
start_daemon worker.count=2 worker.slots=4 handler.keep_attempts=all retry.first=1h retry.max=1h

check=$("${ordinary[@]}" "$build/pgcrewd" -c "$daemon_config" --check 2>&1)
is "$?" 78 '--check fails where users cannot be switched'
like "$check" "handler 'other': user 'daemon': pgcrewd may not switch users" 'and says so'
like "$("$build/pgcrew" --socket "$daemon_socket" --json ping)" '"control_groups": *"none"' 'the daemon says that it has no control groups'

once() { sql "select pgcrew.enqueue('$1', '{}', max_attempts => 1)"; }
how() { sql "select cause || ': ' || error from pgcrew.attempts where job_id = $1"; }
good_ended() { [ "$(sql "select count(*) from jobs where kind = 'good' and status in ('queued', 'running')")" = 0 ]; }

# beside KIND STATUS HOW: one of KIND among 15 good neighbours
beside() {
    local id
    sql "select pgcrew.enqueue('good', '{}', max_attempts => 1) from generate_series(1, 8)" >/dev/null
    id=$(once "$1")
    sql "select pgcrew.enqueue('good', '{}', max_attempts => 1) from generate_series(1, 7)" >/dev/null
    ok "$1: ends" wait_for 30 job_is "$id" failed
    like "$(how "$id")" "$2" "$1: and its attempt says why"
    ok "$1: its neighbours end" wait_for 30 good_ended
    is "$(sql "select count(*) from jobs where kind = 'good' and status = 'succeeded' and attempts = 1 and result = '\"f\"'")" \
        15 "$1: all 15 at the first attempt"
    sql "delete from jobs where kind = 'good'" >/dev/null
    last=$id
}

beside hog '^failed: exited with status'
beside bomb '^limit: wanted more than 50 processes$'
beside spin '^limit: used more than 1 s of CPU time$'
is "$(sql "select coalesce(user_ms, 0) + coalesce(system_ms, 0) > 0 from pgcrew.attempts where job_id = $last")" t 'spin: its time is noted'
beside large '^limit: wrote a file of more than 10 MiB$'
beside fill '^limit: its temporary folder holds more than 10 MiB$'

id=$(once offline)
ok 'a program without network runs' wait_for 10 job_is "$id" succeeded
is "$(job "$id" "result #>> '{}'")" shut 'and gets no socket'
id=$(once peep)
ok 'a program that looks for secrets runs' wait_for 10 job_is "$id" succeeded
is "$(job "$id" "result #>> '{}'")" 'nothing more' 'and finds none in guard and worker, which have its user'
id=$(enqueue other)
told() { [ -n "$(how "$id")" ]; }
ok 'a program of a user that we may not become does not start' wait_for 10 told
is "$(how "$id")" "no_start: cannot run as user 'daemon': Operation not permitted" 'and its attempt says why'
is "$(job "$id" attempts)" 0 'it is not charged'

is "$(worker_pids | wc -l)" 2 'no worker was lost'
not_ok 'none was replaced' logged 'starting it again'
is "$(find "$TMPDIR" -path '*/pgcrewd-*/*/*' | wc -l)" 0 'nothing is left in any temporary folder'

# --- left behind by a daemon that was killed -------------------------------------------------

mkdir "$TMPDIR/pgcrewd-mine" # somebody else's
kill_daemon
ok 'a killed daemon leaves its folder behind' test "$(find "$TMPDIR" -maxdepth 1 -name 'pgcrewd-??????' | wc -l)" -eq 1
run_daemon
ok 'the next one removes it' wait_for 20 logged 'removing the temporary folder'
ok 'and works' wait_for 20 workers_hold 2
is "$(find "$TMPDIR" -maxdepth 1 -name 'pgcrewd-??????' | wc -l)" 1 'there is only its own'
[ "$(id -u)" -ne 0 ] || ok 'that of another user stays' test -d "$TMPDIR/pgcrewd-mine"
stop_daemon
is "$(find "$TMPDIR" -mindepth 1 -maxdepth 1 ! -name pgcrewd-mine | wc -l)" 0 'a daemon that ends takes its folder along'

# --- a daemon of root ------------------------------------------------------------------------------

if [ "$(id -u)" -eq 0 ]; then
    run_daemon() {
        "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
        daemon_pid=$!
    }
    handlers "  other: {exec: [/bin/sh, -c, 'id -un; stat -c %U .; kill \$PPID || echo refused'], user: nobody}"
    start_daemon
    ok '--check is content where users can be switched' "$build/pgcrewd" -c "$daemon_config" --check
    id=$(once other)
    ok 'a program of another user runs' wait_for 10 job_is "$id" succeeded
    is "$(job "$id" "result #>> '{}'" | tr '\n' ' ')" 'nobody nobody refused ' 'as that user, in a folder of that user, who cannot kill us'
    stop_daemon
fi
handlers "  other: {exec: [/bin/true], user: no-such-user}"
write_config
like "$("$build/pgcrewd" -c "$daemon_config" --check 2>&1)" "handler 'other': 'user' does not exist here" 'a user that does not exist is an error'
done_testing
