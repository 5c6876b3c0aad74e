#!/usr/bin/env bash
# Each process knows the secrets that it needs, and no other: its memory and its environment
# are searched.
# timeout: 120
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/front.sh"
[ "$(id -u)" = 0 ] || skip_all 'only root may look into the memory of others'
pg_start && migrate || bail 'no database'
daemon_setup

# Texts that are nowhere but where they are given.
daemon_pw=sown-password-of-daemon gateway_pw=sown-password-of-gateway jwt=sown-secret-of-tokens-0123456789
service=sown-service-role-key handler_key=sown-key-of-a-handler written_key=sown-key-in-the-file
all=("$daemon_pw" "$gateway_pw" "$jwt" "$service" "$handler_key" "$written_key")
sql "alter role pgcrew_worker login password '$daemon_pw'"
sql "alter role pgcrew_gateway login password '$gateway_pw'"
printf 'local all pgcrew_worker,pgcrew_gateway scram-sha-256\nlocal all all trust\n' >"$pg_dir/data/pg_hba.conf"
sql 'select pg_reload_conf()' >/dev/null
url() { echo "postgresql://$1:$2@/postgres?host=$PGHOST&port=$PGPORT"; }

sockets=("gateway.listen=$daemon_dir/g.sock" "dashboard.listen=$daemon_dir/d.sock")
knows() { # ROLE-OR-PID
    local pid=$1
    [[ $1 =~ ^[0-9]+$ ]] || pid=$(pgrep -o -P "$daemon_pid" -x "$1")
    [ -r "/proc/$pid/mem" ] || { echo "no process '$1'"; return; }
    python3 "$here/in_memory.py" "$pid" "${all[@]}" | xargs
}
are_up() { [ "$(status_of "$daemon_dir/g.sock:/readyz")$(status_of "$daemon_dir/d.sock:/readyz")" = 200200 ]; }
sorted() { printf '%s\n' "$@" | sort | xargs; }
look() { # WHAT
    ok "$1: all are up" wait_for 20 are_up
    is "$(knows gateway)" "$(sorted "$gateway_pw" "$jwt" "$service")" "$1: the gateway knows its own"
    is "$(knows dashboard | tr ' ' '\n' | grep -v -e "$handler_key" -e "$written_key" | xargs)" "$daemon_pw" \
        "$1: the dashboard knows the daemon's login"
    is "$(knows janitor | tr ' ' '\n' | grep -v -e "$handler_key" -e "$written_key" | xargs)" "$daemon_pw" \
        "$1: so does the janitor"
    is "$(knows "$(worker_pids)")" "$(sorted "$daemon_pw" "$handler_key" "$written_key")" \
        "$1: a worker knows what handlers are given, too"
    is "$(knows "$daemon_pid")" "$(sorted "${all[@]}")" "$1: the supervisor knows all: it reads them again"
}
handlers "  slow: {exec: [/bin/sleep, '60'], env: [HANDLER_KEY, 'WRITTEN=$written_key']}"
export HANDLER_KEY=$handler_key

# --- in the environment ---------------------------------------------------------------------------

daemon_url=nonsense
write_config "${sockets[@]}" worker.count=1 worker.drain_timeout=0
sed -i '/^database.url/d' "$daemon_config"
run_with() { env "$@" "$build/pgcrewd" -c "$daemon_config" "${arguments[@]}" </dev/null >>"$daemon_out" 2>&1 & daemon_pid=$!; }
arguments=()
run_with DATABASE_URL="$(url pgcrew_worker "$daemon_pw")" PGCREW_GATEWAY_DATABASE_URL="$(url pgcrew_gateway "$gateway_pw")" \
    SUPABASE_JWT_SECRET="$jwt" SUPABASE_SERVICE_ROLE_KEY="$service"
look environment
enqueue slow >/dev/null
runs() { pgrep -x sleep -P "$(pgrep -P "$(worker_pids)" guard)" >/dev/null; }
ok 'a handler runs' wait_for 20 runs
is "$(knows "$(pgrep -x sleep -P "$(pgrep -P "$(worker_pids)" guard)")")" "$(sorted "$handler_key" "$written_key")" \
    'it knows what it is given'
sql 'delete from public.jobs'
kill -KILL "$(front_pid gateway)"
wait_for 10 are_up
is "$(knows gateway)" "$(sorted "$gateway_pw" "$jwt" "$service")" 'so does the next gateway'
stop_daemon

# --- in the file -------------------------------------------------------------------------------------

daemon_url=$(url pgcrew_worker "$daemon_pw")
start_daemon "${sockets[@]}" "gateway.database_url=$(url pgcrew_gateway "$gateway_pw")" "gateway.jwt_secret=$jwt" \
    "gateway.service_key=$service"
look file
"$build/pgcrew" --socket "$daemon_socket" reload >/dev/null
look reload
stop_daemon

# --- in other files, and on the command line ------------------------------------------------------------

echo "$jwt" >"$daemon_dir/jwt"
url pgcrew_gateway "$gateway_pw" >"$daemon_dir/url"
write_config "${sockets[@]}" worker.count=1 "gateway.jwt_secret=file:$daemon_dir/jwt" "gateway.database_url=file:$daemon_dir/url" \
    gateway.service_key=env:THE_KEY
arguments=(-o "database.url=$(url pgcrew_worker "$daemon_pw")")
sed -i '/^database.url/d' "$daemon_config"
run_with THE_KEY="$service"
look elsewhere
stop_daemon

# --- the dashboard may be told the service key, and handlers what they name ---------------------------------

daemon_url=$(url pgcrew_worker "$daemon_pw")
handlers "  slow: {exec: [/bin/sleep, '60'], env: [SUPABASE_SERVICE_ROLE_KEY]}"
arguments=()
write_config "${sockets[@]}" worker.count=1 dashboard.service_key_login=yes
run_with PGCREW_GATEWAY_DATABASE_URL="$(url pgcrew_gateway "$gateway_pw")" SUPABASE_JWT_SECRET="$jwt" \
    SUPABASE_SERVICE_ROLE_KEY="$service"
wait_for 20 are_up
is "$(knows dashboard | tr ' ' '\n' | grep -v "$handler_key" | xargs)" "$(sorted "$daemon_pw" "$service")" \
    'a dashboard to which it logs in knows the service key'
is "$(knows "$(worker_pids)" | tr ' ' '\n' | grep -v "$handler_key" | xargs)" "$(sorted "$daemon_pw" "$service")" \
    'so does a worker whose handlers are given it'
is "$(knows janitor | tr ' ' '\n' | grep -v "$handler_key" | grep -c -e "$jwt" -e "$gateway_pw")" 0 \
    "nobody else knows what is the gateway's own"
stop_daemon
[ "$tap_failed" = 0 ] || daemon_log
done_testing
