#!/usr/bin/env bash
# pgcrew for the peer benchmark: the verbs of its README, next to the scripts of the others.
#
#   PEERS_DIR     that benchmark's folder; default: where this file, or a link to it, lies
#   PGCREW_BUILD  the build folder, after `make bench-programs`
#
#   PROFILE=default   a module whose function does nothing, settings as they come
#           single    worker.claim_max=1: one job a claim, one commit a job
#
# pinned.sh there asks how many jobs are left; for this peer:
#   LEFT="select count(*) from public.jobs where status in ('queued', 'running')"
# and run-all.sh has the list of peers; contrib/guides/performance.md has both as commands.
#
# The daemon is a supervisor with WORKERS workers.  A drain begins when the first of them is
# connected, as the benchmark asks: nothing can be claimed earlier.
PEER=pgcrew
PEERS_DIR=${PEERS_DIR:-$(dirname "$0")}
# shellcheck source=/dev/null
. "$PEERS_DIR/lib.sh"
: "${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}"
db=${BENCH_DB:-bench_${PEER}_$PROFILE}
loop=$PGCREW_BUILD/tests/bench/loop
module=$PGCREW_BUILD/tests/unit/trial_module.so
daemon=

ask() { psql -qXAt -v ON_ERROR_STOP=1 -d "$db" "$@"; }

# What is measured is what came after the start: earlier daemons leave no row behind.
start_daemon() { # WORKERS
    dir=$(mktemp -d)
    trap stop_daemon EXIT
    cat >"$dir/pgcrew.yaml" <<END
name: bench
allow_root: yes
database.url: host=$PGHOST port=$PGPORT dbname=$db user=pgcrew_worker
control.socket: $dir/control.sock
worker.count: $1
$([ "$PROFILE" != single ] || echo 'worker.claim_max: 1')
handlers:
  noop: {module: $module, function: nothing}
  lat: {module: $module, function: age}
  slow: {exec: [/bin/sh, -c, 'date +%s.%N >>$dir/started; sleep 20']}
END
    "$PGCREW_BUILD/pgcrewd" -c "$dir/pgcrew.yaml" </dev/null >"$dir/log" 2>&1 &
    daemon=$!
}

stop_daemon() {
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null
    daemon=
    rm -rf "$dir"
}

wait_workers() { # N
    until [ "$(ask -c 'select count(*) from pgcrew.workers')" -ge "$1" ]; do sleep 0.05; done
}

worker_pids() { pgrep -P "$daemon" worker; }

enqueue() { # N bulk|single [WORKERS] [quiet]
    local n=$1 how=$2 chunk=1000 rate
    if [ "${4:-}" = quiet ]; then
        ask -c "insert into public.jobs (kind, payload)
                select 'noop', jsonb_build_object('k', 'noop', 'i', i) from generate_series(1, $n) i"
        return
    fi
    if [ "$how" = single ]; then
        rate=$(PGDATABASE=$db "$loop" repeat "$n" "insert into public.jobs (kind, payload) values ('noop', '{\"k\": \"noop\", \"i\": 1}')")
        emit "{\"metric\":\"enqueue_single\",\"n\":$n,\"value\":$rate,\"unit\":\"jobs/s\"}"
    else
        rate=$(copy_rate "$n" "$chunk")
        emit "{\"metric\":\"enqueue_bulk\",\"n\":$n,\"chunk\":$chunk,\"value\":$rate,\"unit\":\"jobs/s\"}"
    fi
}

# The rows come from the client, as with the other peers; each COPY is a transaction.
copy_rate() { # N CHUNK
    local rows start end
    rows=$(mktemp)
    awk -v n="$1" -v chunk="$2" 'BEGIN {
        for (i = 0; i < n; i++) {
            if (i % chunk == 0) print "copy public.jobs (kind, payload) from stdin;"
            printf "noop\t{\"k\": \"noop\", \"i\": %d}\n", i
            if (i % chunk == chunk - 1) print "\\."
        }
    }' >"$rows"
    start=$(now)
    ask -f "$rows"
    end=$(now)
    rm -f "$rows"
    echo "$1 / ($end - $start)" | bc -l
}

# In one session, so that looking takes nothing from what is measured.
seconds_until_empty() {
    ask <<'END'
do $$
begin
    while exists (select from pgcrew.ready) or exists (select from pgcrew.claims) loop
        perform pg_sleep(0.005);
        commit;
    end loop;
end $$;
select extract(epoch from clock_timestamp() - min(started_at)) from pgcrew.workers;
END
}

drain() { # N WORKERS [LABEL]
    local secs left
    start_daemon "$2"
    wait_workers 1
    secs=$(seconds_until_empty)
    stop_daemon
    left=$(ask -c "select count(*) from public.jobs where status <> 'succeeded'")
    emit "{\"metric\":\"${3:-drain}\",\"workers\":$2,\"n\":$1,\"secs\":$secs,\"value\":$(echo "$1 / $secs" | bc -l),\"unit\":\"jobs/s\",\"left\":$left}"
}

window() { # SECS WORKERS [LABEL]
    local from ended
    start_daemon "$2"
    wait_workers "$2"
    from=$(ask -c 'select clock_timestamp()')
    sleep "$1"
    stop_daemon
    ended=$(ask -c "select count(*) from public.jobs
                    where finished_at > '$from' and finished_at <= '$from'::timestamptz + interval '$1 s'")
    emit "{\"metric\":\"${3:-window}\",\"workers\":$2,\"secs\":$1,\"done\":$ended,\"value\":$(echo "$ended / $1" | bc -l),\"unit\":\"jobs/s\"}"
}

# The payload is the time of the call; the function's result is how long ago that was.
latency() { # COUNT RATE; RATE 0: one after another, half a second apart
    local n=$1 rate=$2 metric=latency pause=500
    if [ "$rate" = 0 ]; then metric=latency_closed; else pause=$((1000 / rate)); fi
    start_daemon 1
    wait_workers 1
    sleep 1.5
    PGDATABASE=$db "$loop" stamp "$n" "$pause" lat
    seconds_until_empty >/dev/null
    stop_daemon
    emit "$(ask -c "select jsonb_build_object('metric', '$metric', 'n', count(*), 'rate', $rate, 'unit', 'ms',
        'value', percentile_disc(0.5) within group (order by ms), 'p50', percentile_disc(0.5) within group (order by ms),
        'p95', percentile_disc(0.95) within group (order by ms), 'p99', percentile_disc(0.99) within group (order by ms),
        'min', min(ms), 'max', max(ms))
        from (select (result #>> '{}')::float8 / 1000 as ms from public.jobs where kind = 'lat') x")"
}

ticks() { # PID...: processor time so far
    local pid
    for pid; do cat "/proc/$pid/stat" 2>/dev/null; done | sed 's/^.*) //' | awk '{ t += $12 + $13 } END { print t + 0 }'
}

kib() { # KEY FILE PID...
    local key=$1 file=$2 pid
    shift 2
    for pid; do cat "/proc/$pid/$file"; done | awk -v key="$key:" '$1 == key { k += $2 } END { print k }'
}

xacts() { psql -qXAt -d postgres -c "select xact_commit + xact_rollback from pg_stat_database where datname = '$db'"; }

idle() { # SECS WORKERS
    local secs=$1 n=$2 backends workers others b0 w0 o0 x0 b1 w1 o1 x1 rss pss
    start_daemon "$n"
    wait_workers "$n"
    sleep 6
    mapfile -t workers < <(worker_pids)
    mapfile -t others < <(echo "$daemon" && pgrep -P "$daemon" janitor)
    mapfile -t backends < <(psql -qXAt -d postgres -c "select pid from pg_stat_activity where datname = '$db'")
    b0=$(ticks "${backends[@]}") w0=$(ticks "${workers[@]}") o0=$(ticks "${others[@]}") x0=$(xacts)
    sleep "$secs"
    b1=$(ticks "${backends[@]}") w1=$(ticks "${workers[@]}") o1=$(ticks "${others[@]}") x1=$(xacts)
    rss=$(kib VmRSS status "${workers[@]}") pss=$(kib Pss smaps_rollup "${workers[@]}")
    stop_daemon
    emit "$(jq -nc --argjson s "$secs" --argjson n "$n" --argjson w $((w1 - w0)) --argjson b $((b1 - b0)) --argjson o $((o1 - o0)) \
        --argjson x $((x1 - x0)) --argjson c ${#backends[@]} --argjson rss "$rss" --argjson pss "$pss" \
        '{metric: "idle", workers: $n, secs: $s, value: ($w / $s), unit: "% of a core", worker_cpu_pct: ($w / $s),
          backend_cpu_pct: ($b / $s), daemon_cpu_pct: ($o / $s), xact_per_s: ($x / $s), connections: $c,
          rss_mib: ($rss / $n / 1024), pss_mib: ($pss / $n / 1024)}')"
}

starts() { cat "$dir/started" 2>/dev/null | wc -l; }

# The worker that runs the job is killed; the supervisor restarts it by itself, at once.
crash() { # LIMIT
    local id killed pid again by='not run again within the limit' value=null until
    start_daemon 2
    wait_workers 2
    sleep 2.5
    id=$(ask -c "insert into public.jobs (kind) values ('slow') returning id")
    until [ "$(starts)" -ge 1 ]; do sleep 0.02; done
    sleep 1
    pid=$(holder_pid "$id")
    mapfile -t before < <(worker_pids)
    killed=$(now)
    kill -9 "$pid"
    until=$(($(date +%s) + $1))
    while [ "$(starts)" -lt 2 ] && [ "$(date +%s)" -lt "$until" ]; do sleep 0.02; done
    if [ "$(starts)" -ge 2 ]; then
        again=$(sed -n 2p "$dir/started")
        value=$(echo "$again - $killed" | bc -l | sed 's/^\./0./')
        by='restarted worker'
        [[ " ${before[*]} " != *" $(holder_pid "$id") "* ]] || by='other worker'
    fi
    emit "{\"metric\":\"crash\",\"value\":$value,\"unit\":\"s\",\"limit\":$1,\"by\":\"$by\"}"
    kill -INT "$daemon" # it does not wait for the handler
}

holder_pid() {
    ask -c "select w.pid from pgcrew.claims c join pgcrew.workers w using (holder) where $1 = any (c.job_ids)"
}

setup() {
    fresh_db "$db"
    "$PGCREW_BUILD/pgcrew" --database "host=$PGHOST port=$PGPORT dbname=$db user=$PGUSER" migrate up >/dev/null || exit 1
    ask -c 'alter role pgcrew_worker login' -c checkpoint
}

verb=${1:-}
case $verb in
    install) ;;
    setup | enqueue | drain | window | latency | idle | crash)
        shift
        "$verb" "$@"
        ;;
    *) echo 'verbs: install setup enqueue drain window latency idle crash' >&2 && exit 2 ;;
esac
