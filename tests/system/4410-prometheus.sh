#!/usr/bin/env bash
# A real Prometheus scrapes a real daemon; the alert rules and the Grafana dashboard are such
# that it understands them, and name only what there is.
# timeout: 180
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/prometheus.sh
. "$here/prometheus.sh"
pg_start && migrate || bail 'no database'
daemon_setup
top=$(cd "$here/../.." && pwd)
rules=$top/contrib/prometheus/pgcrew.rules.yml
board=$top/contrib/grafana/pgcrew.json

# --- the rules by themselves ----------------------------------------------------------------------

like "$(promtool check rules "$rules" 2>&1)" 'SUCCESS: [0-9]+ rules found' 'promtool takes the rules'
sed "s|RULES|$rules|" "$here/prometheus/rules.test.yml" >"$daemon_dir/rules.test.yml"
tested=$(promtool test rules "$daemon_dir/rules.test.yml" 2>&1)
like "$tested" SUCCESS 'they fire when they should, and only then' || tap_say "$tested"
alerts() { grep -oE '(alert: |alertname=")Pgcrew[A-Za-z]+' "$1" | grep -oE 'Pgcrew.*' | sort -u; }
is "$(alerts "$rules")" "$(alerts "$daemon_dir/rules.test.yml")" 'each of them is tested'
is "$(grep -c ' alert: ' "$rules")" "$(grep -c ' action: ' "$rules")" 'each says what to do'

# --- a Prometheus ---------------------------------------------------------------------------------

# The same without the time that they have to last: here nobody waits for minutes.
sed -E 's/^( *for:) .*/\1 0s/' "$rules" >"$daemon_dir/at-once.yml"
handlers '  good: {exec: [/bin/true]}'
dashboard=127.0.0.1:$(free_port)
start_daemon "dashboard.listen=$dashboard" worker.count=2
ok 'the dashboard serves metrics'        wait_for 20 answers_metrics "$dashboard"
start_prometheus "$daemon_dir/at-once.yml" "$dashboard" || bail 'Prometheus did not start'
ok 'Prometheus finds it up'              wait_for 30 query_is up 1
fetch "$dashboard/nothing" >/dev/null
for _ in 1 2 3 4 5; do enqueue good >/dev/null; done
ok 'and has read how many jobs there were' \
    wait_for 30 query_is 'pgcrew_jobs_total{queue="default",kind="good",outcome="succeeded"}' 5
ok 'histograms are such to it'           wait_for 30 query_is 'histogram_quantile(1, pgcrew_job_run_seconds_bucket) < bool 3600' 1

firing() { ask_prometheus alerts | jq -r '.data.alerts[] | select(.state == "firing") | .labels.alertname' | sort -u; }
fires() { firing | grep -qx "$1"; }
is "$(firing)" '' 'nothing is wrong'
sql "insert into jobs (kind, queue, run_at, created_at)
     values ('good', 'nobody', now() - interval '2 hours', now() - interval '2 hours')"
ok 'a queue is stuck: an alert fires'    wait_for 30 fires PgcrewQueueStuck
ok 'that nobody serves it is one, too'   wait_for 30 fires PgcrewQueueUnserved
like "$(ask_prometheus alerts | jq -r '.data.alerts[].annotations.description')" 'The oldest job has waited for 2h' \
    'a person reads how long'
sql "select pgcrew.pause_queue('nobody')" >/dev/null
is_over() { ! fires PgcrewQueueStuck; }
ok 'not while the queue is paused'       wait_for 30 is_over

# --- expressions ----------------------------------------------------------------------------------

# Every one as Grafana would send it.
jq -r '.. | objects | select(has("expr")) | .expr' "$board" |
    sed -e 's/\$__rate_interval/1m/g' -e 's/\$\(instance\|queue\)/.*/g' >"$daemon_dir/expressions"
like "$(wc -l <"$daemon_dir/expressions")" '^[3-9][0-9]$' 'the dashboard has expressions'
refused=
while read -r expression; do
    [ "$(ask_prometheus query "query=$expression" | jq -r .status)" = success ] || refused+=$expression$'\n'
done <"$daemon_dir/expressions"
is "$refused" '' 'Prometheus takes all of them'
empty=
while read -r expression; do
    case $expression in *http_request_seconds* | *health_level*'> 0'*) continue ;; esac
    [ "$(ask_prometheus query "query=$expression" | jq -r '.data.result | length')" != 0 ] || empty+=$expression$'\n'
done <"$daemon_dir/expressions"
is "$empty" '' 'and finds something'
fetch "$dashboard/metrics" | sed -n 's/^\([a-z_]*\)[{ ].*/\1/p' | sort -u >"$daemon_dir/there"
cat "$rules" "$board" | sed 's/^ *#.*//' | grep -oE '\bpgcrew_[a-z_]+' | sort -u >"$daemon_dir/named"
is "$(comm -13 "$daemon_dir/there" "$daemon_dir/named" | tr '\n' ' ')" '' 'both name only what is exported'
is "$(jq '[.panels[].id] | length == (unique | length)' "$board")" true 'panels have numbers of their own'
is "$(jq -r '[.panels[] | select(.type != "row") | .datasource.uid] | unique | join(" ")' "$board")" "\${datasource}" \
    'the source of data is chosen by who looks'
stop_prometheus
stop_daemon
done_testing
