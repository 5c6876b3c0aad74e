#!/usr/bin/env bash
# What each way to run a job costs: jobs that do nothing, worked off with 4 workers.
#   PGCREW_BUILD=DIR tests/bench/ways.sh [tries] [way...]
# One line a way: jobs/s (median, lowest, highest) and processor time of the whole machine
# per job.  Ways are measured in turn, so that what else the machine does meets all of them.
PG_CONF='fsync = on
full_page_writes = on
wal_level = replica
shared_buffers = 256MB'
. "$(dirname "$0")/../lib/setup.sh"
tries=${1:-3}
shift
ways=("$@")
[ ${#ways[@]} -gt 0 ] || ways=(exec serve module sql http)
pg_start && migrate || bail 'no database'
daemon_setup
sql "create schema app; grant usage on schema app to pgcrew_worker;
     create function app.nothing(jsonb) returns void language sql as ''"

declare -A jobs=([exec]=2000 [serve]=50000 [module]=100000 [sql]=10000 [http]=10000)
"$build/tests/unit/http_server" --port-file "$daemon_dir/port" &
at_exit "kill $!"
wait_for 10 test -s "$daemon_dir/port"
declare -A runs=(
    [exec]='exec: [/bin/true]'
    [serve]="serve: [$build/tests/unit/serve_program, echo], in_flight: 16, slots: 16"
    [module]="module: $build/tests/unit/trial_module.so, function: nothing"
    [sql]='sql: app.nothing'
    [http]="http: 'http://127.0.0.1:$(cat "$daemon_dir/port")/ok', allow_local: yes, slots: 50"
)
handlers "$(for way in "${ways[@]}"; do echo "  $way: {${runs[$way]}}"; done)"

ended() { [ "$(sql "select (select count(*) from pgcrew.ready) + (select count(*) from pgcrew.claims)")" = 0 ]; }

# Processor time of everything so far, in ms.
busy_ms() { awk '/^cpu / { print ($2 + $3 + $4 + $7 + $8) * 10 }' /proc/stat; }

drain() {
    local way=$1 t0 t1 b0 b1
    sql "insert into jobs (kind) select '$way' from generate_series(1, ${jobs[$way]})"
    b0=$(busy_ms)
    start_daemon worker.count=4
    wait_for 300 ended || bail "$way does not come to its end"
    b1=$(busy_ms)
    read -r t0 t1 < <(sql "select extract(epoch from min(started_at)), extract(epoch from max(finished_at)) from jobs where status = 'succeeded'" -F ' ')
    stop_daemon
    [ "$(sql "select count(*) from jobs where status = 'succeeded'")" = "${jobs[$way]}" ] || echo "# $way: not all succeeded" >&2
    sql 'truncate jobs; checkpoint' >/dev/null
    echo "$way ${jobs[$way]} $t0 $t1 $b0 $b1"
}

for _ in $(seq "$tries"); do
    for way in "${ways[@]}"; do
        drain "$way"
    done
done | awk '
    { n[$1]++; rate[$1, n[$1]] = $2 / ($4 - $3); busy[$1, n[$1]] = ($6 - $5) * 1000 / $2 }
    function sorted(a, way,    i, j, t) {
        for (i = 1; i <= n[way]; i++) for (j = i + 1; j <= n[way]; j++)
            if (a[way, j] < a[way, i]) { t = a[way, i]; a[way, i] = a[way, j]; a[way, j] = t }
    }
    END { for (way in n) {
        sorted(rate, way); sorted(busy, way); m = int((n[way] + 1) / 2)
        printf "%-8s %8.0f jobs/s (%.0f to %.0f, %d tries), %.0f us of processor time a job\n",
               way, rate[way, m], rate[way, 1], rate[way, n[way]], n[way], busy[way, m] } }'
