#!/usr/bin/env bash
# Many workers, deaths, mistaken deaths, cancels and retries at once: no job is lost,
# none ends twice, and at no moment is one in two places.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

seconds=${STRESS_SECONDS:-10}
export PGUSER=postgres
[ -x "$pg_bin/pgbench" ] || skip_all 'pgbench is not installed (postgresql-contrib)'
sql "$(cat "$repo/tests/lib/stress.sql")"
# Its workers claim from queue 1: of many who begin at once the first may be undone, with its number.
is "$(sql "select pgcrew.queue_number('default')")" 1 'the queue has its number'
echo 'call stress.work(:client_id);' >"$pg_dir/work.pgbench"
echo 'select stress.produce();' >"$pg_dir/produce.pgbench"
echo 'select stress.disturb();' >"$pg_dir/disturb.pgbench"

"$pg_bin/pgbench" -n -c 12 -j 2 -T "$seconds" -f "$pg_dir/work.pgbench@8" -f "$pg_dir/produce.pgbench@2" \
    -f "$pg_dir/disturb.pgbench@2" >"$pg_dir/pgbench.out" 2>&1 &
bench=$!
looks=0
seen=
while kill -0 $bench 2>/dev/null; do
    # One statement, one moment.
    seen+=$(broken)
    looks=$((looks + 1))
    sleep 0.3
done
wait $bench
is $? 0 'nobody met an error'
is "$(grep -c 'aborted' "$pg_dir/pgbench.out")" 0 'nobody gave up'
is "$seen" '' "at each of $looks moments every job was in one place"
ok 'the rest is worked off' sql 'call stress.finish_up()'
is "$(broken)" '' 'everything agrees'
is "$(sql "select status from jobs where status in ('queued', 'running') limit 1")" '' 'every job has ended'
is "$(sql "select j.id, j.status, e.status, j.error from jobs j full join stress.ends e on e.job_id = j.id
            where j.status is distinct from e.status and coalesce(j.error, '') not like 'quarantined%'
              -- Asked to cancel and then given back by a reaping.
              and not (j.status = 'cancelled' and e.status is null) limit 3")" '' 'each as it was told to its worker, once'
is "$(sql 'select deadlocks from pg_stat_database where datname = current_database()')" 0 'without a deadlock'
is "$(sql 'select count(*) from pgcrew.claims') $(sql 'select count(*) from pgcrew.cancels') $(sql 'select count(*) from pgcrew.unique_keys')" '0 0 0' 'nothing is left over'
counts=$(sql "select string_agg(n || ' ' || what, ', ' order by what) from (select what, sum(n) as n from stress.counts group by what) x")
echo "# $(sql 'select count(*) from jobs') jobs: $(sql "select string_agg(n || ' ' || status, ', ') from (select status, count(*) as n from jobs group by 1 order by 2 desc) x")"
echo "# $counts"
for what in died 'thought dead' 'fenced off' cancelled 'given back'; do
    ok "it did happen: $what" test "$(sql "select coalesce(sum(n), 0) > 0 from stress.counts where what = '$what'")" = t
done

done_testing
