#!/usr/bin/env bash
# Duties of the janitor share a transaction: one that fails must not stop the others.
PG_CONF='track_functions = pl'
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
handlers '  quick: {exec: [/bin/true]}'

calls() { sql "select coalesce(sum(calls), 0) from pg_stat_user_functions where funcname = '$1'"; }
called() { [ "$(calls "$1")" -ge "$2" ]; }
renewed() { [ "$(sql 'select min(seen_at) from pgcrew.workers')" \> "$1" ]; }
n_refused() { grep -c "cannot $1" "$daemon_out"; }
refused() { [ "$(n_refused "$1")" -ge "$2" ]; }
# Every name, what it is called in the log, and the answer it should have.
break_it() {
    sql "alter function pgcrew.$1 rename to whole;
         create function pgcrew.$1 returns $2 language plpgsql security definer as
           \$f\$ begin raise exception 'broken on purpose' using errcode = '$3'; end \$f\$;
         grant execute on function pgcrew.$1 to pgcrew_worker"
}
mend() {
    sql "drop function pgcrew.$1; alter function pgcrew.whole rename to ${1%%(*}"
}
renews() { # WHAT
    local since
    for _ in 1 2 3; do
        since=$(sql 'select clock_timestamp()')
        wait_for 10 renewed "$since" || { since=never; break; }
    done
    ok "$1: leases are renewed"                test "$since" != never
}
works() { # WHAT: all that the others do
    local id
    renews "$1"
    id=$(sql "select pgcrew.enqueue('quick', run_at => now() + interval '300 ms')")
    ok "$1: what is due is promoted, and runs" wait_for 60 job_is "$id" succeeded
}

# What shares: all that is due in less than a quarter of its time.
start_daemon worker.count=1 queue.poll_interval=100ms queue.lease=3s queue.stall_after=1s database.health_interval=1s
works 'nothing is broken'
while IFS='|' read -r name answer words error; do
    break_it "$name" "$answer" "$error"
    ok "${name%%(*} fails: it is said"         wait_for 60 refused "$words" $(($(n_refused "$words") + 1))
    # The heartbeat goes along with nearly each promotion.
    if [ "${name%%(*}" = promote ]; then renews 'promote fails'; else works "${name%%(*} fails"; fi
    n=$(n_refused "$words")
    ok "${name%%(*} fails: it is tried again"  wait_for 60 refused "$words" $((n + 2))
    mend "$name"
    before=$(calls "${name%%(*}")
    ok "${name%%(*} is mended: it works again" wait_for 60 called "${name%%(*}" $((before + 3))
    works "${name%%(*} is mended"
done <<'END'
stalled(uuid[])|table (queues text[], jobs int, why text, detail text)|look for a stall|XX000
health(bigint)|table (name text, subject text, level text, value float8, finding text, fix text)|look at the health|22012
promote(int)|table (moved int, next_due_ms bigint)|promote scheduled jobs|XX000
END
is "$(sql 'select count(*) from pgcrew.workers where seen_at + lease < now()')" 0 'no lease was lost'
not_ok 'nobody was reaped'                     logged 'the lease of .* is over'
stop_daemon
done_testing
