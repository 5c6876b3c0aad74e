# Metrics, and a Prometheus that reads them.  Needs setup.sh.
#
#   fetch [curl's options] HOST:PORT/PATH
#   answers_metrics HOST:PORT
#   says HOST:PORT LINE         is this line among the metrics?
#   metric HOST:PORT NAME       the value of this series, labels as they are printed
#   start_prometheus RULES TARGET...    one of its own, that scrapes every second
#   ask_prometheus PATH [KEY=VALUE...]      asks its HTTP API
#   query_is EXPR VALUE         does this instant query give this one value?
#
# shellcheck shell=bash
# shellcheck disable=SC2154  # variables of daemon.sh

fetch() { curl -sS --max-time 10 --noproxy '*' "$@" 2>/dev/null; }
answers_metrics() { fetch "$1/metrics" | grep -q '^pgcrew_up 1$'; }
says() { fetch "$1/metrics" | grep -qxF -- "$2"; }
metric() { fetch "$1/metrics" | awk -v name="$2" 'index($0, name " ") == 1 {print substr($0, length(name) + 2)}'; }

prometheus_pid=
stop_prometheus() {
    [ -z "$prometheus_pid" ] || kill "$prometheus_pid" 2>/dev/null
    wait "$prometheus_pid" 2>/dev/null
    prometheus_pid=
}

prometheus_is_up() { fetch "$prometheus_at/-/ready" | grep -q -i ready; }

start_prometheus() {
    local rules=$1 dir=$daemon_dir/prometheus targets
    shift
    targets=$(printf ", '%s'" "$@")
    prometheus_at=127.0.0.1:$(free_port)
    mkdir -p "$dir"
    cat >"$dir/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: ['$rules']
scrape_configs:
  - job_name: pgcrew
    static_configs: [{targets: [${targets#, }]}]
END
    promtool check config "$dir/prometheus.yml" >/dev/null || return 1
    at_exit stop_prometheus
    prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/data" \
        --web.listen-address="$prometheus_at" >"$dir/log" 2>&1 &
    prometheus_pid=$!
    wait_for 30 prometheus_is_up
}

ask_prometheus() {
    local path=$1 arg args=()
    shift
    for arg; do args+=(--data-urlencode "$arg"); done
    fetch -G "${args[@]}" "$prometheus_at/api/v1/$path"
}

query_is() {
    [ "$(ask_prometheus query "query=$1" | jq -r '.data.result | map(.value[1]) | join(" ")')" = "$2" ]
}
