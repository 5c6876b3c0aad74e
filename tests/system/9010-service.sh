#!/usr/bin/env bash
# The Debian package on a machine with a real systemd: installed, configured as
# README.Debian says, reloaded, killed, silenced, drained, upgraded, purged.
# timeout: 420
set -u
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/nspawn.sh"

build=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}
dir=$(mktemp -d) || exit 1
trap 'nspawn_cleanup; rm -rf "$dir"' EXIT
trap 'exit 143' INT TERM

# --- the package --------------------------------------------------------------------

why_not=$(nspawn_why_not)
[ -z "$why_not" ] || skip_all "$why_not"
make_package
tap_pass "make deb makes $(basename "$deb")"

# Names of what it depends on: no versions, and the first of alternatives.
mapfile -t depends < <(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/|.*//; s/(.*//; s/ //g')
if ! nspawn_fetch postgresql "${depends[@]}"; then
    skip 'mmdebstrap cannot make a machine: is the Debian archive away?' 'everything on a machine'
    done_testing
    exit
fi
nspawn_boot || bail 'the machine does not boot'

# --- words for the tests below ----------------------------------------------------------

unit() {
    in_machine systemctl show -P "$1" pgcrew.service
}

as_postgres() {
    in_machine runuser -u postgres -- "$@"
}

sql() {
    as_postgres psql -XAtq -v ON_ERROR_STOP=1 app -c "$1"
}

wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.1
    done
}

# configuration WORKERS [URL]
configuration() {
    [ $# -lt 2 ] || printf 'database:\n  url: %s\n' "$2"
    cat <<END
worker:
  count: $1
queue:
  lease: 3s
handlers:
  file-facts:
    exec: /usr/libexec/pgcrew/handlers/file-facts
  nap:
    exec: [/bin/sh, -c, 'read -r s || :; sleep "\$s"; echo "\"slept \$s\""']
  loud:
    exec: [/bin/sh, -c, 'printf "first\\nPRIORITY=0\\nPGCREW_JOB_ID=1\\r\\033[2Jlast\\n" >&2']
END
}

configure() {
    configuration "$@" >"$nspawn_dir/root/etc/pgcrew/pgcrew.yaml"
}

# quietly FILE cmd...: its output is not ours to print
quietly() {
    local to=$1
    shift
    "$@" >"$to" 2>&1 </dev/null
}

# send SIGNAL PID: to that process of the machine; no number, 0 and -1 would mean many.
send() {
    case $2 in
        '' | 0 | 1 | *[!0-9]*) echo "# no process to send $1 to: '$2'" ;;
        *) in_machine kill -s "$1" "$2" ;;
    esac
}

unit_is() { [ "$(unit "$1")" = "$2" ]; }
unit_says() { unit StatusText | grep -Eq "$1"; }
job_is() { [ "$(sql "select status from jobs where id = $1")" = "$2" ]; }
workers_are() { [ "$(sql 'select count(*) from pgcrew.workers where seen_at + lease > now()')" = "$1" ]; }
# Each man:NAME(N) of the unit is a page of the package.
is_documented() {
    local page=
    for page in $(unit Documentation | grep -o 'man:[^ ]*([0-9])' | sed 's/^man:\(.*\)(\(.\))$/man\2\/\1.\2.gz/'); do
        in_machine test -f "/usr/share/man/$page" || return 1
    done
    [ -n "$page" ]
}
main_is_not() { [ "$(unit MainPID)" != "$1" ]; }
is_running() { job_is "$1" running; }

worker_pid_of() {
    sql "select w.pid from pgcrew.claims c join pgcrew.workers w using (holder) where $1 = any (c.job_ids)"
}

start_long_job() {
    job=$(sql "select pgcrew.enqueue('nap', '3')")
    wait_for 15 is_running "$job" || echo "# job $job does not begin"
}

show_log() {
    in_machine journalctl -u pgcrew -o short-monotonic --no-pager -n 60 | sed 's/^/# /'
}

# --- install ------------------------------------------------------------------------------

machine_put "$deb" /root/pgcrew.deb
ok "it installs, asking nothing" quietly "$dir/install.log" in_machine dpkg -i /root/pgcrew.deb
sed 's/^/# /' "$dir/install.log"
is "$(in_machine systemctl is-enabled pgcrew)" enabled "the service will start at boot"
is "$(unit ActiveState)" inactive "and waits for somebody to start it"
is "$(in_machine stat -c '%a %U:%G' /etc/pgcrew/pgcrew.yaml)" "640 root:pgcrew" \
    "the configuration may hold a password: others cannot read it"
is "$(in_machine systemd-analyze verify --man=no pgcrew.service 2>&1)" "" "systemd finds nothing wrong with the unit"
ok "the manual pages it names are there" is_documented
ok "its sandbox is as tight as we promise" \
    quietly "$dir/security.log" in_machine systemd-analyze security --offline=yes --threshold=15 /lib/systemd/system/pgcrew.service
is "$(in_machine runuser -u pgcrew -- pgcrewd --check 2>&1 >/dev/null; echo $?)" 0 \
    "the shipped configuration is right"

# --- before there is a database ----------------------------------------------------------------

ok "it starts without a database" in_machine systemctl start pgcrew
ok "and says what it waits for" wait_for 10 unit_says '[Dd]atabase'
is "$(unit ActiveState) $(unit NRestarts)" "active 0" "it waits, it does not fail"
in_machine systemctl stop pgcrew

# --- the first job, as README.Debian says -----------------------------------------------------------

as_postgres createdb app
ok "pgcrew migrate" quietly "$dir/migrate.log" as_postgres pgcrew --database dbname=app migrate
sql 'create role pgcrew login in role pgcrew_worker'
configure 1 dbname=app
ok "the service starts" in_machine systemctl start pgcrew
ok "and soon works" wait_for 10 workers_are 1
as_postgres pgcrew --database dbname=app enqueue file-facts --file /etc/os-release >"$dir/enqueue.log"
first=$(sql "select max(id) from jobs where kind = 'file-facts'")
ok "a job is done" wait_for 15 job_is "$first" succeeded
like "$(sql "select result from jobs where id = $first")" sha256 "its result is there"

# --- with a password, in a file for systemd only ---------------------------------------------------------

sql "alter role pgcrew_worker login password 'correct horse'"
configure 1
echo 'DATABASE_URL=postgresql://pgcrew_worker:correct%20horse@localhost/app' \
    >"$nspawn_dir/root/etc/pgcrew/pgcrew.env"
in_machine systemd-tmpfiles --create pgcrew.conf
is "$(in_machine stat -c '%a %U' /etc/pgcrew/pgcrew.env)" "600 root" "pgcrew.env is root's alone"
ok "it restarts" in_machine systemctl restart pgcrew
second=$(sql "select pgcrew.enqueue('nap', '0')")
ok "the daemon gets the address from pgcrew.env" wait_for 15 job_is "$second" succeeded
like "$(in_machine systemctl status pgcrew)" 'Status: "[^"]+"' "systemctl status shows how it is"
not_ok "the password is in no log" in_machine sh -c 'journalctl -u pgcrew | grep -q horse'

# --- the log of a job ------------------------------------------------------------------

# fields NAME...: of the lines of the job in the journal
journal() { in_machine journalctl -o json "PGCREW_JOB_ID=$job" "$@"; }
is_in_journal() { journal PGCREW_KIND=loud | grep -q first; }
job=$(sql "select pgcrew.enqueue('loud')")
ok "a handler writes to stderr" wait_for 15 job_is "$job" succeeded
ok "the journal has its lines by the number of the job, and by its kind" wait_for 15 is_in_journal
is "$(journal | jq -r '[._SYSTEMD_UNIT, .SYSLOG_IDENTIFIER, .PRIORITY, .PGCREW_KIND] | join(" ")' | sort -u)" \
    "pgcrew.service pgcrewd 6 loud" "each of the service, under our name, with a level and the kind"
like "$(journal | jq -r .PGCREW_PROCESS | sort -u)" '^worker [0-9]+$' "and the worker that ran it"
is "$(journal | jq -r .MESSAGE | sed 's/^worker [0-9]*: //')" \
    "job $job (loud): first
job $job (loud): PRIORITY=0
job $job (loud): PGCREW_JOB_ID=1\\x0d\\x1b[2Jlast" "what it writes is text: no field and no line is made by it"
is "$(in_machine journalctl -o json PGCREW_JOB_ID=1 PGCREW_KIND=loud)" "" "no other job is charged with it"
is "$(in_machine journalctl -u pgcrew -o json | jq -r 'select(.MESSAGE | test("supervisor: ")) | .PRIORITY' | sort -u | grep -cx '[3467]')" \
    "$(in_machine journalctl -u pgcrew -o json | jq -r 'select(.MESSAGE | test("supervisor: ")) | .PRIORITY' | sort -u | wc -l)" \
    "lines of no job have their level, too"

# --- reload ------------------------------------------------------------------------------------------------

configure 3
main=$(unit MainPID)
ok "it reloads" in_machine systemctl reload pgcrew
ok "and has as many workers as the file says now" wait_for 15 workers_are 3
is "$(unit MainPID)" "$main" "the daemon is the same"

# --- kills ---------------------------------------------------------------------------------------------------

start_long_job
send KILL "$(worker_pid_of "$job")"
ok "a job whose worker was killed ends" wait_for 20 job_is "$job" succeeded
is "$(sql "select cause from pgcrew.attempts where job_id = $job")" worker_died "and its record says why it began twice"
is "$(unit NRestarts)" 0 "systemd had nothing to do"

start_long_job
send KILL "$main"
ok "a daemon that was killed is started again" wait_for 15 unit_is NRestarts 1
ok "the job it had ends" wait_for 30 job_is "$job" succeeded
ok "given back by its successor, not by its lease" in_machine sh -c \
    'journalctl -u pgcrew | grep -q "a daemon was killed here: what its [0-9]* workers held is given back"'

mkdir -p "$nspawn_dir/root/etc/systemd/system/pgcrew.service.d"
printf '[Service]\nWatchdogSec=2s\n' >"$nspawn_dir/root/etc/systemd/system/pgcrew.service.d/test.conf"
in_machine systemctl daemon-reload
in_machine systemctl restart pgcrew
send STOP "$(unit MainPID)"
ok "a daemon that hangs is replaced by the watchdog" wait_for 20 unit_is NRestarts 1
third=$(sql "select pgcrew.enqueue('nap', '0')")
ok "and works again" wait_for 20 job_is "$third" succeeded

# --- the stricter sandbox, and the test that Debian runs ---------------------------------------------------

machine_put "$(dirname "$0")/../../conf/systemd/strict.conf" /etc/systemd/system/pgcrew.service.d/strict.conf
in_machine systemctl daemon-reload
ok "it runs with strict.conf" quietly "$dir/strict.log" in_machine systemctl restart pgcrew
fourth=$(sql "select pgcrew.enqueue('file-facts', '{\"path\": \"/etc/os-release\"}')")
ok "and does jobs" wait_for 20 job_is "$fourth" succeeded
in_machine rm /etc/systemd/system/pgcrew.service.d/strict.conf
in_machine systemctl daemon-reload
in_machine systemctl restart pgcrew

machine_put "$(dirname "$0")/../../debian/tests/smoke" /var/tmp/smoke
ok "debian/tests/smoke" quietly "$dir/smoke.log" as_postgres /var/tmp/smoke
[ "$tap_failed" -eq 0 ] || sed 's/^/# /' "$dir/smoke.log"

# --- the gateway, on sockets of systemd --------------------------------------------------------------------

sql "alter role pgcrew_gateway login password 'the gateway has its own'"
{
    echo 'PGCREW_GATEWAY_DATABASE_URL=postgresql://pgcrew_gateway:the%20gateway%20has%20its%20own@localhost/app'
    echo 'SUPABASE_JWT_SECRET=a-secret-of-a-test-that-is-long-enough'
} >>"$nspawn_dir/root/etc/pgcrew/pgcrew.env"
{
    configuration 1
    printf 'gateway:\n  listen: [systemd]\n'
} >"$nspawn_dir/root/etc/pgcrew/pgcrew.yaml"
machine_put "$(dirname "$0")/../../conf/systemd/pgcrew-gateway.socket" /etc/systemd/system/pgcrew-gateway.socket
in_machine systemctl daemon-reload
answers() {
    # shellcheck disable=SC2016  # for the shell in the machine
    [ "$(in_machine timeout 20 bash -c 'exec 3<>/dev/tcp/127.0.0.1/8480
        printf "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" "$1" >&3; head -n 1 <&3 | tr -d "\r"' - "$1")" = "HTTP/1.1 $2" ]
}
in_machine systemctl stop pgcrew
ok "systemd listens for the gateway" in_machine systemctl enable --now pgcrew-gateway.socket
ok "who comes starts the service, and is answered" answers /healthz '200 OK'
ok "the gateway has its session" wait_for 15 answers /readyz '200 OK'
is "$(unit ActiveState)" active "the service runs"
in_machine systemctl restart pgcrew
ok "after a restart it has its sockets again" answers /healthz '200 OK'
ok "there is nothing to say against the units" in_machine systemd-analyze verify --man=no pgcrew-gateway.socket
in_machine systemctl disable --now pgcrew-gateway.socket
in_machine rm /etc/systemd/system/pgcrew-gateway.socket
in_machine systemctl daemon-reload
configure 1
in_machine systemctl restart pgcrew

# --- stop ---------------------------------------------------------------------------------------------------------

start_long_job
in_machine systemctl stop pgcrew
is "$(sql "select status || ' ' || attempts from jobs where id = $job")" "succeeded 1" \
    "a stop lets the running job end"
is "$(unit Result) $(unit ActiveState)" "success inactive" "and is no failure"
is "$(sql 'select count(*) from pgcrew.workers')" 0 "no lease is left behind"

in_machine systemctl start pgcrew
ok "root may stop it by the tool" quietly "$dir/stop.log" in_machine pgcrew stop
ok "and then it stays stopped" wait_for 15 unit_is ActiveState inactive

echo 'worker: {cuont: 2}' >"$nspawn_dir/root/etc/pgcrew/pgcrew.yaml"
not_ok "a wrong configuration does not start" quietly "$dir/wrong.log" in_machine systemctl start pgcrew
is "$(unit ExecMainStatus) $(unit NRestarts)" "78 0" "systemd does not try again what a person has to mend"
in_machine systemctl reset-failed pgcrew

# --- an upgrade, and the end -------------------------------------------------------------------------------------------

configure 2
in_machine systemctl start pgcrew
main=$(unit MainPID)
ok "an upgrade asks nothing" quietly "$dir/upgrade.log" in_machine dpkg -i /root/pgcrew.deb
ok "it keeps the edited configuration" in_machine grep -q 'count: 2' /etc/pgcrew/pgcrew.yaml
ok "and restarts the daemon" main_is_not "$main"
ok "which works" wait_for 15 workers_are 2

[ "$tap_failed" -eq 0 ] || show_log
ok "it can be purged" quietly "$dir/purge.log" in_machine dpkg --purge pgcrew
is "$(in_machine sh -c 'ls -d /etc/pgcrew /var/lib/pgcrew /usr/sbin/pgcrewd 2>/dev/null')" "" \
    "no file of it stays"
not_ok "and no process" in_machine pgrep pgcrewd
is "$(sql 'select count(*) > 5 from jobs')" t "the database is not touched"

done_testing
