#!/usr/bin/env bash
# The gateway as a process: it serves, and is replaced, in every way there is, without one
# client being refused.
# timeout: 240
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/front.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers '  quick: {exec: [/bin/true]}'
socket=$daemon_dir/gateway.sock
port=$(free_port)
dashboard=127.0.0.1:$(free_port)
mapfile -t options < <(gateway_options "$socket" "'127.0.0.1:$port'")
options+=("dashboard.listen=$dashboard" worker.stall_timeout=1s worker.drain_timeout=5s)

is_another() { local now; now=$(front_pid "$1") && [ "$now" != "$2" ] && [ "$(wc -w <<<"$now")" = 1 ]; }
is_ready() { [ "$(status_of "$1/readyz")" = 200 ]; }

# --- it serves --------------------------------------------------------------------------------

start_daemon "${options[@]}"
ok 'it listens on TCP'            wait_for 10 is_ready "127.0.0.1:$port"
ok 'and on a Unix socket'         is_ready "$socket:"
ok 'the dashboard does so, too'   wait_for 10 is_ready "$dashboard"
is "$(asks "127.0.0.1:$port/healthz")" ok '/healthz says ok'
is "$(asks "127.0.0.1:$port/readyz")" ready '/readyz says ready'
is "$(status_of "127.0.0.1:$port/nothing")" 404 'what is not there is not found'
is "$(tr '\0' ' ' <"/proc/$(front_pid gateway)/cmdline" | sed 's/ *$//')" 'pgcrewd: gateway' 'ps shows what it is'
is "$(sql "select distinct application_name from pg_stat_activity where usename = 'pgcrew_gateway'")" pgcrew/testhost/gateway \
    'it has a session of its own login'
like "$("$build/pgcrew" --socket "$daemon_socket" workers)" '^gateway +0 +[0-9]+ +idle' 'pgcrew workers shows it'
counted() { [ "$(front_stat gateway requests)" -ge 5 ]; }
ok 'its requests are counted' wait_for 5 counted
like "$("$build/pgcrew" --socket "$daemon_socket" stats)" '^gateway: +idle, [0-9]+ requests answered' 'pgcrew stats tells of it'

# --- it dies, stands still, is replaced: nobody is refused ----------------------------------------

ask_all_the_time "$daemon_dir/asked" "$socket" "127.0.0.1:$port"
for _ in 1 2 3; do
    old=$(front_pid gateway)
    kill -KILL "$old"
    ok 'it is killed: there is another one' wait_for 10 is_another gateway "$old"
    wait_for 10 is_ready "127.0.0.1:$port"
done
stop_asking
is "$(grep -v broken "$daemon_dir/asked")" '' 'nobody was refused'
ok 'and but for those it was answering nobody had to ask again' [ "$(wc -l <"$daemon_dir/asked")" -le 6 ]
ok 'many have asked' [ "$(cat "$daemon_dir/asked.count")" -ge 10 ]

old=$(front_pid gateway)
kill -STOP "$old"
ok 'it stands still: it is replaced' wait_for 20 is_another gateway "$old"
ok 'it is said' logged "gateway \(pid $old\) has not answered"
wait_for 10 is_ready "127.0.0.1:$port"

# A request that has begun when the reload comes.
exec 5<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /healthz HTTP/1.1\r\nHost: x\r\n' >&5
ask_all_the_time "$daemon_dir/asked" "$socket" "127.0.0.1:$port"
old=$(front_pid gateway)
write_config "${options[@]}" worker.count=1 gateway.idle_timeout=50s
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
both() { [ "$(front_pid gateway | wc -l)" = 2 ]; }
ok 'a reload: the next one serves while the old one has a request' wait_for 10 both
# What has been accepted and not read is a request, too: both processes are asked for a while.
printf 'Connection: close\r\n\r\n' >&5
is "$(head -n 1 <&5 | tr -d '\r')" 'HTTP/1.1 200 OK' 'the old one answers it'
exec 5>&-
ok 'and ends' wait_for 10 is_another gateway "$old"
for i in 1 2 3; do
    old=$(front_pid gateway)
    write_config "${options[@]}" worker.count=1 gateway.idle_timeout=4${i}s
    "$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
    ok 'a reload: it is replaced' wait_for 10 is_another gateway "$old"
done
stop_asking
is "$(cat "$daemon_dir/asked")" '' 'every request was answered'

# --- other addresses -----------------------------------------------------------------------------

other=$(free_port)
write_config "${options[@]:1}" worker.count=1 "gateway.listen=['127.0.0.1:$other']"
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
ok 'a reload to another address' wait_for 10 is_ready "127.0.0.1:$other"
not_ok 'the first is closed' asks "127.0.0.1:$port/healthz" 2>/dev/null
not_ok 'its socket is gone' test -e "$socket"
write_config "${options[@]:1}" worker.count=1 "gateway.listen=['127.0.0.1:$other', '$dashboard']"
like "$("$build/pgcrew" --socket "$daemon_socket" reload 2>&1)" 'Address already in use' 'an address that is taken is refused'
ok 'and nothing changes' is_ready "127.0.0.1:$other"
write_config "${options[@]:1:2}" worker.count=1
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
nobody() { [ -z "$(front_pid gateway)$(front_pid dashboard)" ]; }
ok 'without addresses there are no such processes' wait_for 10 nobody
write_config "${options[@]}" worker.count=1
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
ok 'with them there are' wait_for 10 is_ready "127.0.0.1:$port"

# --- the database -----------------------------------------------------------------------------------

pg_stop immediate
is_away() { [ "$(status_of "127.0.0.1:$port/readyz")" = 503 ]; }
ok 'the database is away: it is not ready' wait_for 10 is_away
like "$(curl_to "127.0.0.1:$port/readyz")" '^no session' 'and says so'
is "$(asks "127.0.0.1:$port/healthz")" ok 'but it is well'
ok 'the supervisor knows' wait_for 5 front_is gateway connecting
pg_up
ok 'the database is back: it is ready' wait_for 40 is_ready "127.0.0.1:$port"
sql 'alter role pgcrew_gateway nologin'
sql "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'pgcrew_gateway'" >/dev/null
is_refused() { [[ $(front_stat gateway text) == *'not permitted to log in'* ]]; }
ok 'its login is refused: it is known why' wait_for 10 is_refused
is "$(status_of "127.0.0.1:$port/readyz")" 503 'and it is not ready'
id=$(enqueue quick)
ok 'jobs are run all the same' wait_for 20 job_is "$id" succeeded
sql 'alter role pgcrew_gateway login'
ok 'once it is right it is ready' wait_for 40 is_ready "127.0.0.1:$port"

# --- a login that is none ------------------------------------------------------------------------------

write_config "${options[@]:0:2}" "${options[@]:3}" worker.count=1 "gateway.database_url=host=here nonsense"
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
ok 'a URL that is none: it is held' wait_for 10 front_is gateway held
like "$(front_stat gateway text)" 'the database URL is not one' 'and it is known why'
not_ok 'who connects is refused, not left waiting' asks "127.0.0.1:$port/healthz" 2>/dev/null
ok 'the dashboard serves' wait_for 10 is_ready "$dashboard"
like "$("$build/pgcrew" --socket "$daemon_socket" stats)" '^gateway: held, .*the database URL is not one' 'pgcrew stats tells'
write_config "${options[@]}" worker.count=1
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
ok 'a reload with the right one: it serves' wait_for 10 is_ready "127.0.0.1:$port"

# --- the end ------------------------------------------------------------------------------------------

exec 5<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /healthz HTTP/1.1\r\nHost: x\r\n' >&5
wait_for 5 is_ready "127.0.0.1:$port" # the other one has been accepted before this one
kill -TERM "$daemon_pid"
ok 'the end: it drains' wait_for 10 front_is gateway draining
not_ok 'nobody else is let in' asks "127.0.0.1:$port/healthz" 2>/dev/null
printf 'Connection: close\r\n\r\n' >&5
is "$(head -n 1 <&5 | tr -d '\r')" 'HTTP/1.1 200 OK' 'a request that had begun is answered'
exec 5>&-
ok 'then the daemon ends' wait_for 20 daemon_is_gone
wait "$daemon_pid"
is "$?" 0 'well'
daemon_pid=

# --- wrong configurations ----------------------------------------------------------------------------------

refuses() { # WHAT REGEX OPTION...
    local what=$1 regex=$2
    shift 2
    write_config "$@"
    like "$("$build/pgcrewd" -c "$daemon_config" --check 2>&1)" "$regex" "$what"
}
refuses 'without a key'   'gateway.jwt_secret'   "${options[0]}" "${options[2]}"
refuses 'without a login' 'gateway.database_url' "${options[0]}" "${options[1]}"
refuses 'not a login'     'gateway.database_url: the database URL is not one' "${options[0]}" "${options[1]}" 'gateway.database_url=nonsense here'
refuses 'no address'      'gateway.listen'       "${options[1]}" "${options[2]}" gateway.listen=nonsense

# --- sockets of systemd ----------------------------------------------------------------------------------------

write_config "${options[@]:1:2}" worker.count=1 gateway.listen=systemd dashboard.listen=systemd
systemd-socket-activate --fdname=gateway:dashboard -l "127.0.0.1:$port" -l "$dashboard" -E PGCREW_ALLOW_ROOT=yes \
    "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
daemon_pid=$!
is "$(curl -sS --retry 20 --retry-connrefused --retry-delay 1 --max-time 30 "http://127.0.0.1:$port/healthz")" ok \
    'systemd listens: the first client starts the daemon, and is answered'
ok 'the gateway is ready'   wait_for 10 is_ready "127.0.0.1:$port"
ok 'so is the dashboard'    wait_for 10 is_ready "$dashboard"
old=$(front_pid gateway)
kill -KILL "$old"
is "$(asks "127.0.0.1:$port/healthz")" ok 'killed: the next one answers'
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
is "$(asks "127.0.0.1:$port/healthz")" ok 'after a reload, too'
inode=$(awk -v port="$(printf ':%04X' "$port")" '$2 ~ port "$" && $4 == "0A" { print $10 }' /proc/net/tcp)
has_it() { find "/proc/$1/fd" -lname "socket:\[$inode\]" | grep -q .; }
ok 'it has the socket' has_it "$(front_pid gateway)"
not_ok 'the dashboard does not' has_it "$(front_pid dashboard)"
not_ok 'nor has a worker' has_it "$(worker_pids)"
not_ok 'nor has the janitor' has_it "$(janitor_pid)"
stop_daemon
is "$daemon_status" 0 'the daemon ends well'
write_config "${options[@]:1:2}" worker.count=1 gateway.listen=systemd
run_daemon
ok 'without systemd it is said that there are none' wait_for 10 logged "systemd has passed no socket of the name 'gateway'"
stop_daemon
[ "$tap_failed" = 0 ] || daemon_log
done_testing
