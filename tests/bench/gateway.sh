# batch_status of 100 jobs over HTTP, next to the same transaction by pgbench and to a file of
# that size from nginx (one worker); what 5,000 idle event streams take.  SECONDS_EACH (5).
# shellcheck shell=bash
# shellcheck source=tests/lib/gateway.sh
. "$top/../lib/gateway.sh"

bench_gateway() {
    local clients seconds=${SECONDS_EACH:-5}
    fresh
    sql 'alter role pgcrew_gateway login'
    # 100 users with a batch of 100 jobs each.
    sql "insert into public.jobs (user_id, batch_id, kind)
         select ('11111111-1111-4111-8111-' || lpad(u::text, 12, '0'))::uuid, ('00000000-0000-4000-8000-' || lpad(u::text, 12, '0'))::uuid, 'mail'
           from generate_series(1, 100) u, generate_series(1, 100)"
    sql 'vacuum analyze public.jobs'
    gateway_start gateway.listeners_per_user=10000 >&2
    token=$(mint 11111111-1111-4111-8111-000000000001)
    call_as "$token" GET "/api/batch_status?batch_id=$(batch 1)"
    [ "$status" = 200 ] || bail "batch_status: $status $body"
    listeners 5000 # first: later there is memory of what has been
    nginx_start
    in_sql "$seconds"
    for clients in 1 50 1000; do
        over_http "$clients" "$seconds"
    done
    kill "$nginx_pid" && wait "$nginx_pid" 2>/dev/null
    stop_daemon >&2
}

nginx_start() {
    nginx_dir=$daemon_dir/nginx
    nginx_port=$(free_port)
    mkdir -p "$nginx_dir/files"
    cp "$gateway_dir/body" "$nginx_dir/files/status.json"
    chmod -R a+rX "$daemon_dir" "$nginx_dir"
    cat >"$nginx_dir/nginx.conf" <<-CONF
	worker_processes 1;
	daemon off;
	pid $nginx_dir/pid;
	error_log $nginx_dir/errors;
	events { worker_connections 4096; }
	http {
	  access_log off;
	  keepalive_requests 1000000000;
	  server { listen 127.0.0.1:$nginx_port; root $nginx_dir/files; }
	}
	CONF
    nginx -p "$nginx_dir" -e "$nginx_dir/errors" -c "$nginx_dir/nginx.conf" &
    nginx_pid=$!
    wait_for 10 curl -sf -o /dev/null "http://127.0.0.1:$nginx_port/status.json" || bail 'no nginx'
}

# The gateway's transaction by two clients, as many as it has sessions.
in_sql() {
    {
        echo '\startpipeline'
        sed -e '/^--/d' -e "s/\$1::text/'authenticated'/; s/\$2::text/:'claims'/; s/\$3::text/'GET'/" \
            -e "s/\$4::text/'\/api\/batch_status'/; s/\$5::text/'5000'/; s/\$6::text/'on'/" \
            "$repo/src/gateway/sql/act_as.sql" | sed "s/:'claims'/'$(cut -d . -f 2 <<<"$token" | tr '_-' '/+' | base64 -d 2>/dev/null)'/"
        echo ';'
        echo "select public.batch_status('$(batch 1)', 100);"
        echo '\endpipeline'
    } >"$daemon_dir/status.pgbench"
    sql_rate=$(PGUSER=pgcrew_gateway pgbench -n -M prepared -c 2 -j 1 -T "$1" -f "$daemon_dir/status.pgbench" 2>/dev/null |
        sed -n 's/^tps = \([0-9.]*\).*/\1/p')
    sample 'gateway: limit, the transaction by pgbench' "$sql_rate" /s
}

cpu_of() { # PID: processor time in ms
    awk -v hz="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / hz }' "/proc/$1/stat"
}

# wrk_run NAME URL CLIENTS SECONDS PID [wrk argument...]: sets $rate, $p99_ms and $cpu_us, of PID for a request.
wrk_run() {
    local said cpu
    cpu=$(cpu_of "$4")
    said=$(wrk -t1 -c "$2" -d "${3}s" --timeout 20s --latency "${@:5}" "$1")
    rate=$(awk '/^Requests\/sec/ { print $2 }' <<<"$said")
    p99_ms=$(awk '$1 == "99%" { v = $2 + 0; if ($2 ~ /us$/) v /= 1000; else if ($2 !~ /ms$/) v *= 1000; print v }' <<<"$said")
    cpu_us=$(awk -v before="$cpu" -v after="$(cpu_of "$4")" '/ requests in / { printf "%.1f", (after - before) * 1000 / $1 }' <<<"$said")
    ! grep -E 'Non-2xx|Socket errors' <<<"$said" >&2 || echo "# $1 with $2 clients" >&2
}

over_http() {
    local nginx_rate nginx_p99 nginx_cpu n=$1 worker
    worker=$(pgrep -P "$nginx_pid")
    wrk_run "http://127.0.0.1:$nginx_port/status.json" "$n" "$2" "$worker"
    nginx_rate=$rate nginx_p99=$p99_ms nginx_cpu=$cpu_us
    wrk_run "$gateway/api/batch_status?batch_id=$(batch 1)" "$n" "$2" "$(pgrep -P "$daemon_pid" gateway)" \
        -H "Authorization: Bearer $token"
    sample "gateway: nginx and a file, $n clients" "$nginx_rate" /s
    sample "gateway: batch_status, $n clients, of pgbench" "$rate" /s "$sql_rate"
    sample "gateway: batch_status, $n clients, of nginx" "$rate" /s "$nginx_rate"
    sample "gateway: batch_status, $n clients, p99" "$p99_ms" ms "$nginx_p99"
    sample "gateway: processor time of a request, $n clients" "$cpu_us" us "$nginx_cpu"
}

pss_kib() { awk '/^Pss:/ { print $2 }' "/proc/$1/smaps_rollup"; }

listeners() {
    local pid before
    pid=$(pgrep -P "$daemon_pid" gateway)
    before=$(pss_kib "$pid")
    ulimit -n 20000 2>/dev/null || { echo '# not enough descriptors for listeners' >&2; return 0; }
    mkfifo "$daemon_dir/listening"
    python3 -B "$top/gateway_listeners.py" "$gateway_port" "$token" "$(batch 1)" "$1" <"$daemon_dir/listening" >"$daemon_dir/listeners" &
    exec 5>"$daemon_dir/listening"
    wait_for 120 grep -q '^all listen' "$daemon_dir/listeners" || bail "$(cat "$daemon_dir/listeners")"
    sample "gateway: memory (PSS), $1 idle event streams" "$(awk -v a="$before" -v b="$(pss_kib "$pid")" 'BEGIN { printf "%.1f", (b - a) / 1024 }')" MiB
    sample 'gateway: memory (PSS) without' "$(awk -v a="$before" 'BEGIN { printf "%.1f", a / 1024 }')" MiB
    exec 5>&-
    rm -f "$daemon_dir/listening"
}
