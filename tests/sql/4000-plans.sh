#!/usr/bin/env bash
# The statements of the workers keep their plans, whatever the statistics say: among a million
# jobs they touch as many rows and pages as their batch needs, by indexes.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

# Statistics are part of the test: nobody else may gather any.
PG_CONF='autovacuum = off
shared_buffers = 256MB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB'
queue_start
export PGUSER=postgres

n=100
claims=2000
batch=$(process 777)

# What there is: a million that wait, as many scheduled and held ones as shows in a plan,
# and all in batches of 100.  Triggers would only do the same row by row.
cat >"$pg_dir/fill.sql" <<END
set session_replication_role = replica;
insert into public.jobs (id, kind, batch_id, user_id, status, run_at, max_attempts, started_at)
overriding system value
select i + 1000000, 'a', ('00000000-0000-0000-0000-' || lpad((i / 100)::text, 12, '0'))::uuid, '$user',
       case when i >= 1050000 then 'running' else 'queued' end,
       now() + case when i >= 1002000 and i < 1050000 then '1 hour' else '-1 s' end::interval, 5,
       case when i >= 1050000 then now() end
  from generate_series(0, 1069999) i;
insert into pgcrew.queues (queue) values ('default') on conflict do nothing;
insert into pgcrew.ready (place, job_id, user_id, queue, kind)
select pgcrew.place((select number from pgcrew.queues where queue = 'default'), 0, i + 1000000), i + 1000000, '$user', 'default', 'a' from generate_series(0, 999999) i;
insert into pgcrew.scheduled (job_id, run_at, priority, user_id, queue, kind)
select i + 1000000, now() + case when i >= 1002000 then '1 hour' else '-1 s' end::interval, 0, '$user', 'default', 'a'
  from generate_series(1000000, 1049999) i;
insert into pgcrew.workers (holder, process, name, slot, pid, version, queues, slots, lease)
overriding system value
select 1000000 + i, gen_random_uuid(), 'other', i, i, 'test', '{default}', 10, '1 day' from generate_series(0, 99) i;
insert into pgcrew.claims (holder, job_ids)
select 1000000 + i % 100, array_agg(2050000 + i * 10 + k)
  from generate_series(0, 1999) i, generate_series(0, 9) k group by i;
insert into pgcrew.attempts (job_id, attempt, cause)
select i + 1000000, 1, 'failed' from generate_series(0, 1069999, 10) i;
insert into pgcrew.unique_keys (key, job_id) select 'key ' || i, i from generate_series(2000000, 2049999) i;
set session_replication_role = origin;
END

# One round of everything, on :n jobs: :top is where the worker looks from.
cat >"$pg_dir/round.sql" <<END
select holder as h1 from pgcrew.register_worker('$(process 1)', 'host', 1, 1, 'test', '{default}', null, 10, 86400000) \\gset
select holder as h2 from pgcrew.register_worker('$(process 2)', 'host', 2, 2, 'test', '{default}', null, 10, 86400000) \\gset
select holder as h3 from pgcrew.register_worker('$(process 3)', 'host', 3, 3, 'test', '{default}', null, 10, 1) \\gset
\\warn == claim
select token as t, array_agg(job_id order by nth) as ids, count(*) as got
  from pgcrew.claim(:h1, array[pgcrew.place(1, 9, 0), pgcrew.place(1, 0, :top)], array[pgcrew.place(1, 0, 0) - 1, pgcrew.place(2, 9, 0)], null, :n)
       with ordinality c (token, job_id, queue, priority, kind, payload, attempt, max_attempts,
                          batch_id, user_id, tempfails, waited_us, nth) group by token \\gset
\\warn got :got
\\warn == report
select count(*) from pgcrew.report(:h1, array_fill(:t::bigint, array[:n]), :'ids', array_fill(200, array[:n]),
                                   array_fill(50::real, array[:n]), array_fill('half'::text, array[:n])) \\g /dev/null
\\warn == heartbeat
select count(*) from pgcrew.heartbeat('{$(process 1),$(process 2)}') \\g /dev/null
\\warn == finish of a part
select count(*) as got from pgcrew.finish(:h1, :t, (:'ids'::bigint[])[1 : :n / 2], array_fill('succeeded'::text, array[:n / 2]),
  array_fill(200, array[:n / 2]), null, array_fill('{"a": 1}'::text, array[:n / 2]), null, array_fill('succeeded'::text, array[:n / 2]),
  null, null, null) \\gset
\\warn == finish of others
select count(*) as got from pgcrew.finish(:h1, :t, (:'ids'::bigint[])[:n / 2 + 1 : :n],
  array(select ('{retry,again,failed,release,cancelled}'::text[])[1 + i % 5] from generate_series(1, :n - :n / 2) i),
  array_fill(200, array[:n - :n / 2]), array(select i % 2 * 3600000::bigint from generate_series(1, :n - :n / 2) i), null,
  array_fill('an error'::text, array[:n - :n / 2]), null, null, null, null) \\gset
select token as t, array_agg(job_id order by nth) as ids
  from pgcrew.claim(:h1, array[pgcrew.place(1, 0, :top)], array[pgcrew.place(2, 9, 0)], null, :n)
       with ordinality c (token, job_id, queue, priority, kind, payload, attempt, max_attempts,
                          batch_id, user_id, tempfails, waited_us, nth) group by token \\gset
\\warn == finish
select :n - count(*) as got from pgcrew.finish(:h1, :t, :'ids', array_fill('succeeded'::text, array[:n]), array_fill(1, array[:n]),
  null, null, null, null, null, null, null) \\gset
\\warn got :got
\\warn == promote
select moved as got from pgcrew.promote(:n) \\gset
\\warn got :got
select count(*) from pgcrew.claim(:h2, array[pgcrew.place(1, 0, :top)], array[pgcrew.place(2, 9, 0)], null, :n) \\g /dev/null
select pgcrew.register_worker('$(process 4)', 'host', 4, 4, 'test', '{default}', '{b}', 10, 86400000) \\g /dev/null
update pgcrew.workers set idle = true where process = '$(process 4)' \\g /dev/null
\\warn == waits_for
select count(*) from pgcrew.waits_for('{$(process 4)}') \\g /dev/null
\\warn == reap_process
select pgcrew.reap_process('$(process 2)', '{}') as got \\gset
\\warn got :got
select count(*) from pgcrew.claim(:h3, array[pgcrew.place(1, 0, :top)], array[pgcrew.place(2, 9, 0)], null, :n) \\g /dev/null
select pg_sleep(0.01) \\g /dev/null
\\warn == reap_expired
select sum(jobs) as got from pgcrew.reap_expired() \\gset
\\warn got :got
set role service_role;
\\warn == batch_status of the service
select public.batch_status(:'batch')->>'total' as got \\gset
\\warn got :got
set role authenticated;
\\warn == batch_status of a user
select public.batch_status(:'batch')->>'total' as got \\gset
\\warn got :got
reset role;
END

cat >"$pg_dir/explain.sql" <<END
select set_config('request.jwt.claims', '{"sub":"$user","role":"authenticated"}', false) \\g /dev/null
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_nested_statements = on;
set auto_explain.log_analyze = on;
set auto_explain.log_buffers = on;
set auto_explain.log_timing = off;
set client_min_messages = log;
\\set n $n
\\set batch $batch
\\set top 0
END

# Six rounds on a few jobs, so that whatever plan a session keeps is kept.
cat >"$pg_dir/few.sql" <<END
select set_config('request.jwt.claims', '{"sub":"$user","role":"authenticated"}', false) \\g /dev/null
\\set n 10
\\set batch $batch
\\set top 0
$(for _ in 1 2 3 4 5 6; do
    echo "insert into public.jobs (kind, batch_id, user_id) select 'a', '$batch', '$user' from generate_series(1, 60);"
    echo "insert into public.jobs (kind, run_at) select 'a', clock_timestamp() + '1 ms' from generate_series(1, 10);"
    echo "select pg_sleep(0.01) \\g /dev/null"
    echo "\\i $pg_dir/round.sql"
done)
delete from public.jobs;
END

# Of the plans of one round: what each statement read that is not by an index, how many
# rows of our tables it looked at, and how many pages.
cat >"$pg_dir/judge.awk" <<'AWK'
function number(line, before,    rest) {
    if (!match(line, before "[0-9]+")) return 0
    rest = substr(line, RSTART, RLENGTH)
    sub(/^.*[^0-9]/, "", rest)
    return rest + 0
}
# The last round counts: plans that a session keeps were made in those before.
/^== / {
    name = substr($0, 4)
    if (!(name in most)) order[++names] = name
    got[name] = bad[name] = ""
    rows[name] = most[name] = 0
    next
}
/^got / { got[name] = $2; next }
name == "" { next }
/Scan.* on / {
    table = $0
    sub(/^.* on /, "", table)
    sub(/ .*/, "", table)
    ours = table ~ /^(jobs|ready|scheduled|claims|attempts|unique_keys|jobs_.*|ready_.*)$/
    loops = number($0, "loops=")
    if (ours) {
        rows[name] += number($0, "actual rows=") * loops
        if ($0 ~ /Seq Scan|Bitmap/) bad[name] = bad[name] ", scans " table
    }
}
/Rows Removed by/ && ours { rows[name] += number($0, ": ") * loops }
/Buffers: shared/ {
    pages = number($0, "hit=") + number($0, "read=")
    if (pages > most[name]) most[name] = pages
}
END {
    for (i = 1; i <= names; i++) {
        name = order[i]
        printf "%s|%s|%d|%d|%s\n", name, got[name], rows[name], most[name], bad[name]
    }
}
AWK

# judge STATISTICS: a test for each statement.  Pages are those of the index paths, too.
judge() {
    local name got rows pages bad all
    while IFS='|' read -r name got rows pages bad; do
        # Which claims have no holder is seen by looking at all: those in flight, not the jobs.
        all=0
        [ "$name" != reap_expired ] || all=$claims
        # It looks at so many before it gives up.  It has no marks to start from: over what is
        # deleted, but not cleaned up, it walks once, and tells its caller that this was dear.
        [ "$name" != waits_for ] || all=1000
        [ "$1 $name" != 'a million, they say waits_for' ] || all=1000000
        if [ "$rows" -gt $((6 * n + all)) ]; then bad="$bad, looks at $rows rows"; fi
        if [ "$pages" -gt $((25 * n + all)) ]; then bad="$bad, reads $pages pages"; fi
        if [ "${got:-$n}" -ne "$n" ]; then bad="$bad, has $got of $n jobs"; fi
        is "${bad#, }" '' "$1: $name: $rows rows, $pages pages"
    done < <(awk -f "$pg_dir/judge.awk" "$pg_dir/plans")
}

# look STATISTICS DATABASE [psql argument...]: one round there, in a session of its own.
look() {
    local what=$1 database=$2
    shift 2
    psql -XAtq -v ON_ERROR_STOP=1 -d "$database" -f "$pg_dir/explain.sql" "$@" -f "$pg_dir/round.sql" \
        >"$pg_dir/plans" 2>&1 || { tail -n 20 "$pg_dir/plans"; bail "$what: the statements cannot be run"; }
    [ -z "${PG_KEEP:-}" ] || cp "$pg_dir/plans" "$pg_dir/plans of ${what//,/}"
    judge "$what"
}

sql 'vacuum analyze'
look 'planned on an empty queue' app -c 'set client_min_messages = warning' -f "$pg_dir/few.sql" -f "$pg_dir/fill.sql" \
    -f "$pg_dir/explain.sql"
look 'analyzed while empty' app

sql 'create database never template app' -d postgres
sql "delete from pg_statistic where starelid >= 16384;
     update pg_class set reltuples = -1, relpages = 0 where oid >= 16384 and relkind in ('r', 'i')" -d never
look 'never analyzed' never

sql 'vacuum analyze'
look 'just analyzed' app

# As if there had been one user, one queue, one holder so far; and one batch, but of that
# ANALYZE writes what the table says.
sql "update pg_statistic set stadistinct = coalesce(substring(a.attoptions::text from 'n_distinct=([-.0-9]+)')::real, 1),
                             stakind1 = 0, stakind2 = 0, stakind3 = 0, stakind4 = 0, stakind5 = 0
       from pg_attribute a where a.attrelid = starelid and a.attnum = staattnum and starelid >= 16384"
look 'all alike, they say' app

sql 'set session_replication_role = replica; delete from pgcrew.ready; delete from public.jobs where id < 2050000'
sql "insert into public.jobs (kind, batch_id, user_id) select 'a', '$batch', '$user' from generate_series(1, 100);
     insert into public.jobs (kind) select 'a' from generate_series(1, 500);
     select min(job_id) from pgcrew.ready" >"$pg_dir/top"
look 'a million, they say' app -c "\\set top $(cat "$pg_dir/top")"
done_testing
