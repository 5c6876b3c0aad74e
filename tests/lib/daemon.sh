# A real daemon for one test file, on the private PostgreSQL of postgres.sh.
#
#   handlers TEXT           what stands under 'handlers:' (YAML, indented by two blanks)
#   start_daemon [o=v...]   pgcrewd with these options; waits until its workers hold leases
#   start_daemon_anyway     the same without waiting
#   stop_daemon             TERM, and wait until it has ended; sets $daemon_status
#   kill_daemon             KILL -9 to the supervisor
#   daemon_log              what it said so far
#   logged REGEX            has it said this?
#   enqueue KIND [PAYLOAD]  -> the job's id
#   job ID COLUMN           a column of the job
#   job_is ID STATUS        has the job this status?
#   attempts ID             the causes of its noted attempts, in order
#   has_attempt ID CAUSE    is one noted?
#   worker_pids, worker_pid_of ID, janitor_pid, handler_pids
#   processes_below PID     every descendant
#
# shellcheck shell=bash
# shellcheck disable=SC2034  # variables for the tests

build=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}
daemon_dir=
daemon_pid=

daemon_setup() {
    [ -z "$daemon_dir" ] || return 0
    daemon_dir=$(mktemp -d "${TMPDIR:-/tmp}/pgcrew-daemon.XXXXXX")
    daemon_socket=$daemon_dir/control.sock
    daemon_config=$daemon_dir/pgcrew.yaml
    daemon_out=$daemon_dir/log
    daemon_handlers=
    : >"$daemon_out"
    at_exit daemon_cleanup
    export PGCREW_SOCKET=$daemon_socket
}

daemon_cleanup() {
    [ -z "$daemon_pid" ] || kill -KILL "$daemon_pid" 2>/dev/null
    [ -z "${PG_KEEP:-}" ] || cp "$daemon_out" "${PG_KEEP}.log"
    rm -rf "$daemon_dir"
}

handlers() {
    daemon_setup
    daemon_handlers=$1
}

# The server as the daemon sees it: the least privileged login.
daemon_login() {
    sql 'alter role pgcrew_worker login'
    echo "host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=pgcrew_worker"
}

write_config() {
    local option
    daemon_setup
    {
        echo 'name: testhost'
        echo "database.url: ${daemon_url:-host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=pgcrew_worker}"
        echo "control.socket: $daemon_socket"
        for option; do
            echo "${option%%=*}: ${option#*=}"
        done
        if [ -n "$daemon_handlers" ]; then
            echo 'handlers:'
            printf '%s\n' "$daemon_handlers"
        fi
    } >"$daemon_config"
}

start_daemon_anyway() {
    write_config "$@"
    run_daemon
}

run_daemon() {
    "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1 &
    daemon_pid=$!
}

workers_hold() {
    [ "$(sql 'select count(*) from pgcrew.workers where seen_at + lease > now()')" -ge "$1" ]
}

start_daemon() {
    local wanted=1 option
    sql 'alter role pgcrew_worker login'
    for option; do
        case $option in worker.count=*) wanted=${option#*=} ;; esac
    done
    case " $* " in *' worker.count='*) ;; *) set -- "$@" worker.count=1 ;; esac
    start_daemon_anyway "$@"
    wait_for 20 workers_hold "$wanted" || { daemon_log; bail 'the daemon did not come up'; }
}

daemon_is_gone() {
    ! kill -0 "$daemon_pid" 2>/dev/null
}

stop_daemon() {
    kill -TERM "$daemon_pid" 2>/dev/null
    wait_for 60 daemon_is_gone || return 1
    wait "$daemon_pid"
    daemon_status=$?
    daemon_pid=
}

kill_daemon() {
    kill -KILL "$daemon_pid"
    wait "$daemon_pid" 2>/dev/null
    daemon_pid=
}

daemon_log() {
    sed 's/^/# /' "$daemon_out"
}

logged() {
    grep -Eq -- "$1" "$daemon_out"
}

enqueue() {
    local payload=${2:-'{}'}
    psql -XAtq -v ON_ERROR_STOP=1 -v kind="$1" -v payload="$payload" \
        <<<"select pgcrew.enqueue(:'kind', :'payload'::jsonb);"
}

job() {
    sql "select $2 from public.jobs where id = $1"
}

job_is() {
    [ "$(job "$1" status)" = "$2" ]
}

attempts() {
    sql "select string_agg(cause, ' ' order by id) from pgcrew.attempts where job_id = $1"
}

has_attempt() {
    [ "$(sql "select count(*) from pgcrew.attempts where job_id = $1 and cause = '$2'")" -gt 0 ]
}

all_ended() {
    [ "$(sql "select count(*) from public.jobs where status in ('queued', 'running')")" = 0 ]
}

# Not one id left behind in the tables of the protocol.
nothing_left() {
    [ "$(sql 'select (select count(*) from pgcrew.ready) + (select count(*) from pgcrew.scheduled) +
                     (select count(*) from pgcrew.claims)')" = 0 ]
}

worker_pids() {
    pgrep -P "$daemon_pid" worker
}

janitor_pid() {
    pgrep -P "$daemon_pid" janitor
}

worker_pid_of() {
    sql "select w.pid from pgcrew.claims c join pgcrew.workers w using (holder) where $1 = any (c.job_ids)"
}

processes_below() {
    local child
    for child in $(pgrep -P "$1"); do
        echo "$child"
        processes_below "$child"
    done
}

is_claimed() {
    [ -n "$(worker_pid_of "$1")" ]
}
