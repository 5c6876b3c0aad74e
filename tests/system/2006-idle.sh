#!/usr/bin/env bash
# A host with nothing to do: the janitor looks for all, the workers sleep.  Who sleeps is
# woken by what comes in, whoever fails to say so.
PG_CONF="log_statement = all
log_line_prefix = '%a %v '"
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
handlers "  quick: {exec: [/bin/true]}
  slow: {exec: [/bin/sleep, '60'], slots: 1}
  lone: {exec: [/bin/true], slots: 1}"

all_idle() { [ "$(sql 'select bool_and(idle) from pgcrew.workers')" = t ]; }
# Looks of the janitor are the clock here: whatever a busy machine does, it stops as well.
looks() { grep -c '/janitor .* execute [^ ]*waits_for' "$pg_dir/server.log"; }
looked() { [ "$(looks)" -ge "$1" ]; }
wait_looks() { wait_for 120 looked $(($(looks) + $1)); }
switches() {
    for pid in $(worker_pids); do cat "/proc/$pid/status"; done | awk '/^voluntary/ { n += $2 } END { print n }'
}

# --- at rest -------------------------------------------------------------------------------
start_daemon worker.count=4
ok 'four workers are idle' wait_for 20 all_idle
wait_looks 1
from=$(wc -l <"$pg_dir/server.log")
before=$(switches)
wait_looks 10 || bail 'the janitor does not look'
turns=$(($(switches) - before))
tail -n "+$((from + 1))" "$pg_dir/server.log" | grep '^pgcrew/.* execute ' >"$pg_dir/asked"
asked=$(cut -d ' ' -f 1,2 "$pg_dir/asked" | sort -u | wc -l)
claims=$(grep -c pgcrew_claim "$pg_dir/asked")
echo "# ten looks: $asked transactions, $(wc -l <"$pg_dir/asked") statements, $claims claims, $turns turns of the workers"
# A look that comes late has a worker look for itself: seldom, but that is no failure.
ok 'ten looks are at most fifteen transactions' test "$asked" -le 15
ok 'leases are renewed among them'              grep -q pgcrew_heartbeat "$pg_dir/asked"
ok 'dead hosts are looked for'                  grep -q pgcrew_reap_expired "$pg_dir/asked"
ok 'the workers ask nothing'                    test "$claims" -le 3
ok 'they do not even get up'                    test "$turns" -le 12
stop_daemon

# --- nobody says that there is work --------------------------------------------------------
start_daemon worker.count=2 database.listen=off
ok 'two workers are idle' wait_for 20 all_idle
for _ in 1 2 3; do
    wait_looks 1
    id=$(enqueue quick)
    ok 'without a NOTIFY the janitor sees what waits' wait_for 30 job_is "$id" succeeded
    ok 'and the workers sleep again'                  wait_for 30 all_idle
done
first=$(enqueue slow)
second=$(enqueue slow)
running_both() { job_is "$first" running && job_is "$second" running; }
ok 'both workers have a long job' wait_for 30 running_both
wait_looks 1
id=$(enqueue lone)
ok 'it also sees what waits for a free slot of a worker that has work' wait_for 30 job_is "$id" succeeded
sql "select pgcrew.cancel_jobs('{$first,$second}')" >/dev/null
wait_for 30 all_ended
stop_daemon

# --- nobody looks --------------------------------------------------------------------------
start_daemon worker.count=2 worker.stall_timeout=10min
ok 'two workers are idle' wait_for 20 all_idle
kill -STOP "$(janitor_pid)"
id=$(enqueue quick)
ok 'without a janitor the workers look for themselves' wait_for 30 job_is "$id" succeeded
kill -CONT "$(janitor_pid)"
stop_daemon

# --- one does not get up -------------------------------------------------------------------
start_daemon worker.count=1 worker.stall_timeout=1s
ok 'a worker is idle' wait_for 20 all_idle
stuck=$(worker_pids)
kill -STOP "$stuck"
wait_looks 2
not_ok 'while it has nothing to do nobody misses it' logged 'has not answered'
id=$(enqueue quick)
ok 'when it is told of work and does not hear it, it is killed' wait_for 30 logged "worker 1 \(pid $stuck\) has not answered"
ok 'another one does that work'                      wait_for 30 job_is "$id" succeeded
is "$(attempts "$id")" ''                            'at once'
stop_daemon
done_testing
