#!/usr/bin/env bash
# contrib/nginx.conf and contrib/Caddyfile in front of a real daemon: TLS, the status of a
# batch, an event stream, limits, the dashboard from the inside only, nothing secret in logs.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"

for program in nginx caddy curl openssl ss; do
    command -v $program >/dev/null || bail "$program is not installed"
done
unset http_proxy https_proxy HTTPS_PROXY ALL_PROXY all_proxy

gateway_database
daemon_setup
dir=$daemon_dir/proxy
handlers "  mail:
    exec: [/bin/sh, -c, 'echo 50 half way >&3; until [ -e $dir/go ]; do sleep 0.05; done']"
gateway_socket=$daemon_dir/gateway.sock
inside=$(free_port)
printf '%s' 'a-password-for-operators-of-this-test' >"$daemon_dir/dashboard.token"
chmod 600 "$daemon_dir/dashboard.token"
gateway_start "dashboard.listen=127.0.0.1:$inside" "dashboard.token_file=$daemon_dir/dashboard.token"
token=$(mint $user)
token2=$(mint $user2)

# --- a certificate, the proxies ----------------------------------------------------------
name=jobs.example.com
mkdir -p "$dir/caddy"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null || bail 'no certificate'

# What a person changes, and what a test has to: ports, paths, no IPv6.
configure_nginx() {
    sed -e "s|unix:/run/pgcrew/gateway.sock|unix:$gateway_socket|; s|127.0.0.1:8481|127.0.0.1:$inside|" \
        -e '/listen \[::\]/d' -e "s|listen 80;|listen 127.0.0.1:$http;|; s|listen 443 |listen $https |" \
        -e "s|/etc/ssl/certs/$name.pem|$dir/cert.pem|; s|/etc/ssl/private/$name.key|$dir/key.pem|" \
        -e "s|/var/log/nginx|$dir|" "$repo/contrib/nginx.conf" >"$dir/pgcrew.conf"
    {
        [ "$(id -u)" -ne 0 ] || echo 'user root;'
        echo "pid $dir/nginx.pid; error_log $dir/nginx.log; worker_processes 1; daemon off;"
        echo 'events {}'
        echo "http { client_body_temp_path $dir/body; proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/fastcgi;"
        echo "uwsgi_temp_path $dir/uwsgi; scgi_temp_path $dir/scgi; include $dir/pgcrew.conf; }"
    } >"$dir/nginx.conf"
}

configure_caddy() {
    sed -e "s|^$name {|https://$name:$https {\n\ttls $dir/cert.pem $dir/key.pem|" \
        -e "s|^{\$|{\n\tadmin off\n\tauto_https disable_redirects|" \
        -e "s|unix//run/pgcrew/gateway.sock|unix/$gateway_socket|; s|127.0.0.1:8481|127.0.0.1:$inside|" \
        "$repo/contrib/Caddyfile" >"$dir/Caddyfile"
}

proxy_pid=
stop_proxy() {
    [ -z "$proxy_pid" ] || { kill "$proxy_pid" && wait "$proxy_pid"; } 2>/dev/null
    proxy_pid=
}
at_exit stop_proxy

through() {
    curl -s -m 20 --cacert "$dir/cert.pem" --resolve "$name:$https:127.0.0.1" --resolve "$name:$https:127.0.0.2" "$@"
}

# ask [curl argument...] PATH: sets $status and $body
ask() {
    status=$(through -o "$dir/answer" -w '%{http_code}' "${@:1:$#-1}" "https://$name:$https${*: -1}")
    body=$(cat "$dir/answer")
}

proxy_answers() {
    [ "$(through -o /dev/null -w '%{http_code}' "https://$name:$https/api/batch_status")" = 401 ]
}

start_proxy() {
    https=$(free_port)
    http=$(free_port)
    "configure_$1"
    case $1 in
        nginx) nginx -c "$dir/nginx.conf" >"$dir/nginx.out" 2>&1 & ;;
        caddy) XDG_DATA_HOME=$dir/caddy XDG_CONFIG_HOME=$dir/caddy HOME=$dir/caddy \
            caddy run --adapter caddyfile --config "$dir/Caddyfile" >"$dir/caddy.log" 2>&1 & ;;
    esac
    proxy_pid=$!
    wait_for 20 proxy_answers || { sed 's/^/# /' "$dir/nginx.out" "$dir/caddy.log" "$dir/nginx.log" 2>/dev/null; bail "$1 did not come up"; }
}

# --- what both do ------------------------------------------------------------------------
has_event() { grep -q "^event: $1" "$dir/events"; }
to_gateway() { ss -xH state established | grep -cF "$gateway_socket"; }

check_requests() {
    local proxy=$1 n=$2
    new_batch $user "$n" 3 waiting
    ask -H "Authorization: Bearer $token" "/api/batch_status?batch_id=$(batch "$n")"
    is "$status $(field .total)" '200 3' "$proxy: the status of a batch"
    ask -H "Authorization: Bearer $token2" "/api/batch_status?batch_id=$(batch "$n")"
    is "$status" 404 "$proxy: another user's"
    ask "/api/batch_status?batch_id=$(batch "$n")"
    is "$status" 401 "$proxy: without a token"
    ask -H "Authorization: Bearer $token" '/rest/v1/jobs?select=id&limit=1'
    is "$status" 200 "$proxy: /rest/v1/jobs"
    ask -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d '{"kind": "waiting"}' /rest/v1/rpc/enqueue_jobs
    is "$status" 404 "$proxy: the gateway's errors come through"
    head -c 2000000 /dev/zero | tr '\0' ' ' >"$dir/large"
    ask -H "Authorization: Bearer $token" -H 'Content-Type: application/json' --data-binary "@$dir/large" /api/jobs
    # A client that still sends may see the end of the connection instead of the answer.
    like "$status" '^(413|000)$' "$proxy: a body that is too large"
    ask --http1.1 -H "X-Long: $(head -c 40000 /dev/zero | tr '\0' x)" "/api/batch_status"
    like "$status" '^4(00|31)$' "$proxy: headers that are too long"
}

check_stream() {
    local proxy=$1 n=$2 stream
    rm -f "$dir/go"
    : >"$dir/events"
    new_batch $user "$n" 2
    through -N -m 60 -o "$dir/events" "https://$name:$https/api/batches/$(batch "$n")/events?access_token=$token" &
    stream=$!
    ok "$proxy: the first event of a stream comes at once" wait_for 20 has_event status
    ok "$proxy: how far jobs are is told while they run" wait_for 20 grep -q '"progress": 50' "$dir/events"
    not_ok "$proxy: the end is still to come" has_event 'done'
    touch "$dir/go"
    ok "$proxy: it comes, too" wait_for 20 has_event 'done'
    wait $stream
    is "$?" 0 "$proxy: and ends the stream"
}

check_inside() {
    local proxy=$1 path
    for path in /metrics /readyz /healthz /.git/config; do
        ask "$path"
        is "$status" 404 "$proxy: $path is not there"
    done
    ask /
    like "$status" '^(200|30[1-8])$' "$proxy: the dashboard from the inside"
    ask --interface 127.0.0.2 /
    like "$status" '^40[34]$' "$proxy: and from the outside"
    ask --interface 127.0.0.2 /dashboard/
    like "$status" '^40[34]$' "$proxy: with all that is below it"
    ask --interface 127.0.0.2 --path-as-is -H "Authorization: Bearer $token" '/api/../dashboard/'
    like "$status" '^40[034]$' "$proxy: however it is written"
}

start_proxy nginx
check_requests nginx 1
check_stream nginx 2
check_inside nginx
is "$(curl -s -m 5 -o /dev/null -w '%{http_code} %{redirect_url}' -H "Host: $name" "http://127.0.0.1:$http/")" \
    "301 https://$name/" 'nginx: without TLS it is said where to go'
for _ in $(seq 20); do ask -H "Authorization: Bearer $token" '/rest/v1/jobs?select=id&limit=1'; done
like "$(to_gateway)" '^[1-9]$' 'nginx: connections to the gateway are kept'
stop_proxy
ok 'nginx: the log has the paths' grep -q '/api/batch_status' "$dir/pgcrew-access.log"
not_ok 'nginx: and no token' grep -q eyJ "$dir/pgcrew-access.log" "$dir/pgcrew-error.log"

start_proxy caddy
check_requests caddy 3
check_stream caddy 4
check_inside caddy
stop_proxy
ok 'caddy: the log has the paths' grep -q '/api/batch_status' "$dir/caddy.log"
not_ok 'caddy: and no token' grep -q eyJ "$dir/caddy.log"
done_testing
