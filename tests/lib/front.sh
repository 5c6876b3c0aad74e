# The processes that serve HTTP, in tests.  Needs tests/lib/setup.sh.
#
#   gateway_options [ADDRESS...]   start_daemon's options for a gateway there; makes its login
#   front_pid ROLE                 the process that serves: gateway, dashboard
#   front_stat ROLE KEY            what the supervisor says of it: state, text, requests ...
#   front_is ROLE STATE            is it in this state?
#   asks URL|PATH:URL [curl...]    -> the answer's body; fails as curl --fail does
#   status_of ...                  -> its status only
#   ask_all_the_time OUT ADDRESS...  until stop_asking: a new connection for each request
#   stop_asking                    then OUT has a line for each that was not answered with 200
#
#
# shellcheck shell=bash
# shellcheck disable=SC2154  # of daemon.sh and postgres.sh

gateway_secret=a-secret-of-a-test-that-is-long-enough

gateway_options() {
    sql 'alter role pgcrew_gateway login'
    local IFS=,
    printf '%s\n' "gateway.listen=[$*]" "gateway.jwt_secret=$gateway_secret" \
        "gateway.database_url=host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=pgcrew_gateway"
}

front_pid() {
    pgrep -P "$daemon_pid" -x "$1"
}

front_stat() {
    "$build/pgcrew" --socket "$daemon_socket" --json stats 2>/dev/null |
        python3 -c 'import json, sys
front = json.load(sys.stdin)["daemon"][sys.argv[1]]
print(front[sys.argv[2]] if front else "")' "$1" "$2"
}

front_is() {
    [ "$(front_stat "$1" state)" = "$2" ]
}

# "SOCKET:URL" as curl has it.
curl_to() {
    local where=$1
    shift
    case $where in
    /*) curl -sS --max-time 20 --unix-socket "${where%%:*}" "http://x${where#*:}" "$@" ;;
    *) curl -sS --max-time 20 "http://$where" "$@" ;;
    esac
}

asks() {
    curl_to "$@" --fail
}

status_of() {
    curl_to "$@" -o /dev/null -w '%{http_code}'
}

asking=

ask_all_the_time() {
    local out=$1
    shift
    python3 "$here/front_asker.py" "$out" "$@" &
    asking=$!
    at_exit "kill $asking 2>/dev/null"
    wait_for 10 test -s "$out.count"
}

# Fails when nothing was asked.
stop_asking() {
    kill "$asking"
    wait "$asking" 2>/dev/null
    asking=
}
