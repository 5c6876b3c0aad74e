# A real gateway for one test file, on the private PostgreSQL of postgres.sh.
#
#   gateway_database        a migrated database with the kind mail, whose server logs what is asked
#   gateway_start [o=v...]  a daemon with a gateway at $gateway, http://127.0.0.1:PORT; waits for it
#                           gateway_socket: it listens there, too
#   mint SUB [JSON]         a token of this user that lives an hour; JSON: claims instead of those
#   call METHOD PATH [curl argument...]    sets $status, $body and $headers
#   call_as TOKEN METHOD PATH [curl argument...]
#   answers STATUS 'what'   of the last call; what it said when not
#   field EXPR              what jq finds in $body
#   header NAME             of the last answer
#   asked_database          how many transactions the gateway has begun, by the server's log
#   batch N                 the uuid of batch N
#   new_batch USER N [how many [kind]]    jobs of this user as batch N
#
# shellcheck shell=bash
# shellcheck disable=SC2034  # variables for the tests

user=11111111-1111-4111-8111-111111111111
user2=22222222-2222-4222-8222-222222222222
gateway_secret=super-secret-jwt-token-with-at-least-32-characters-long

gateway_database() {
    PG_CONF="log_statement = all
${PG_CONF:-}" pg_start && migrate || bail 'no database'
    sql "insert into pgcrew.kinds (kind) values ('mail')"
    sql 'alter role pgcrew_gateway login'
}

gateway_is_ready() {
    [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$gateway/readyz")" = 200 ]
}

gateway_start() {
    gateway_port=${gateway_port:-$(free_port)}
    gateway=http://127.0.0.1:$gateway_port
    start_daemon "gateway.listen=[127.0.0.1:$gateway_port${gateway_socket:+, $gateway_socket}]" "gateway.jwt_secret=$gateway_secret" \
        "gateway.database_url=host=$PGHOST port=$PGPORT dbname=$PGDATABASE user=pgcrew_gateway" "$@"
    wait_for 20 gateway_is_ready || { daemon_log; bail 'the gateway did not come up'; }
    gateway_dir=$daemon_dir/http
    mkdir -p "$gateway_dir"
}

base64url() {
    openssl base64 -A | tr '+/' '-_' | tr -d '='
}

mint() {
    local now head payload
    now=$(date +%s)
    head=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url)
    payload=$(jq -cn --arg sub "$1" --argjson now "$now" --argjson more "${2:-{\}}" \
        '{sub: $sub, role: "authenticated", aud: "authenticated", iat: $now, exp: ($now + 3600)} + $more' | base64url)
    printf '%s.%s.%s\n' "$head" "$payload" \
        "$(printf '%s.%s' "$head" "$payload" | openssl dgst -sha256 -hmac "$gateway_secret" -binary | base64url)"
}

call() {
    local method=$1 path=$2
    shift 2
    : >"$gateway_dir/body"
    case $method in HEAD) set -- --head "$@" ;; *) set -- -X "$method" "$@" ;; esac
    status=$(curl -s -m 20 --path-as-is -g -o "$gateway_dir/body" -D "$gateway_dir/headers" -w '%{http_code}' \
        "$@" "$gateway$path")
    # With --head curl writes the headers where the body would be.
    body=$(tr -d '\0\r' <"$gateway_dir/body" | { [ "$method" = HEAD ] && sed '1,/^$/d' || cat; })
    headers=$(tr -d '\r' <"$gateway_dir/headers")
}

call_as() {
    local token=$1
    shift
    call "$@" -H "Authorization: Bearer $token"
}

answers() {
    is "$status" "$1" "$2" || tap_say 'it said' "$body"
}

field() {
    jq -r "$1" <<<"$body"
}

header() {
    sed -n "s/^$1: //Ip" <<<"$headers"
}

asked_database() {
    grep -c '/gateway LOG:  execute user_act_as' "$pg_dir/server.log"
}

batch() {
    printf '00000000-0000-4000-8000-%012d' "$1"
}

new_batch() {
    sql "insert into public.jobs (user_id, batch_id, kind, payload)
         select '$1', '$(batch "$2")', '${4:-mail}', jsonb_build_object('n', n) from generate_series(1, ${3:-1}) n"
}
