#!/usr/bin/env bash
# pgcrew bench: figures, and nothing left behind or touched, whatever happens to it.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
PG_CONF='max_connections = 60'
pg_start
sql 'create role owner login createrole'
sql 'create database app owner owner' -d postgres
export PGDATABASE=app PGUSER=owner
mkdir -m 700 "$pg_dir/tmp"
export TMPDIR=$pg_dir/tmp

as_super() { PGUSER=postgres sql "$@"; }
schemas() { sql "select count(*) from pg_namespace where nspname = 'pgcrew_bench'"; }
has_schema() { [ "$(schemas)" = 1 ]; }
# Everything of the real queue but the dump's own random words.
real_queue() { PGUSER=postgres pg_dump -n public -n pgcrew -n auth | grep -v '^\\\(un\)\?restrict '; }
said() { grep -q -- "$1" "$pg_dir/said"; }
ended() { ! kill -0 "$bench" 2>/dev/null; }
# A run in the background that would go on for long; returns when it measures.
start_long() {
    "$build/pgcrew" --database "host=$PGHOST" bench --jobs 1000 --rounds 99 --workers 2 >"$pg_dir/out" 2>"$pg_dir/said" &
    bench=$!
    wait_for 20 said 'round 2 of 99: drain' || { cat "$pg_dir/said"; bail 'no run'; }
}
# It and all that it has started.
nobody_left() { ! pgrep -f "pgcrew --database host=$PGHOST bench" >/dev/null; }

tool bench --jobs 10
status_is 1 'without the roles of pgcrew it is refused'
like "$errors" "run 'pgcrew migrate' first"             'and what to do is said'
is "$(schemas)" 0                                       'nothing was made'

tool migrate
sql "insert into public.jobs (kind) select 'mine' from generate_series(1, 20)"
sql "insert into public.jobs (kind, run_at) values ('mine', now() + interval '1 h')"
before=$(real_queue)

tool bench --jobs 30 --workers 2
status_is 0 'an owner who is no superuser measures'
like "$errors" 'schema pgcrew_bench'                    'what it does is said first'
like "$errors" 'round 3 of 3: latency'                  'then how far it is'
for figure in 'enqueue: one row a call' 'enqueue: 1,000 rows a call' 'drain: no-op jobs' 'single: no-op jobs, one a claim' \
    'life: no-op jobs' 'latency: enqueue to start, p99'; do
    like "$(grep "^$figure" <<<"$out")" '[0-9].*(jobs/s|ms) .*[0-9]\.[0-9]{3}$' "there is a figure and its ratio: $figure"
done
like "$out" 'life: WAL +[0-9]+ +bytes/job'              'and WAL'
is "$(schemas)" 0                                       'the schema is gone'
is "$(real_queue)" "$before"                            'the real queue is as it was, to the letter'

tool --json bench --jobs 30 --workers 2 --rounds 3 --sections drain,life
status_is 0 'with --json'
is "$(jq -s 'length' <<<"$out")" "$(wc -l <<<"$out")"   'each line is a document'
is "$(jq -s '[.[] | select(.of_limit != null and .of_limit > 0)] | length' <<<"$out")" 2 'ratios where there is a limit'
is "$(jq -s '[.[] | .name | split(":")[0]] | unique | join(" ")' -r <<<"$out")" 'drain life' 'only the sections asked for'
is "$(head -n 1 <<<"$out" | jq -r '[.value > 0, .tries, .lowest <= .value, .highest >= .value, .unit, .machine.cores > 0,
    (.machine.host | length > 0), .machine.kernel, .settings.synchronous_commit, .settings.fsync, .server_version,
    .version] | join(" ")')" \
    "true 3 true true rows/s true true $(uname -r) $(sql 'show synchronous_commit') $(sql 'show fsync') $(sql 'show server_version') $("$build/pgcrew" --version | cut -d ' ' -f 2)" \
    'with what they depend on'

is "$(psql -Xq -c 'listen pgcrew' -c 'listen pgrst' \
        -c "\\! '$build/pgcrew' bench --jobs 30 --workers 2 --rounds 1 --sections latency >/dev/null 2>&1" \
        -c 'select' 2>&1 | grep -c 'Asynchronous notification')" 0 'who listens to the real queue hears nothing'

start_long
is "$(sql "select count(*) from pg_proc p where p.pronamespace = 'pgcrew_bench'::regnamespace
            and p.prosrc ~ '\\m(public|pgcrew)\\.|18858238|''pgcrew'''")" 0 'no function of it names the real queue'
ok 'there are some'                                     test "$(sql "select count(*) from pg_proc
    where pronamespace = 'pgcrew_bench'::regnamespace")" -gt 20
tool bench --jobs 10
status_is 1 'a second run at the same time is refused'
like "$errors" 'another pgcrew bench runs'              'and it is said why'
ok 'the first goes on'                                  has_schema
kill -INT "$bench"
ok 'INT ends it'                                        wait_for 30 ended
wait "$bench"
is $? 130                                               'as one expects of INT'
is "$(schemas)" 0                                       'and the schema is gone'
ok 'and so is every process'                            wait_for 20 nobody_left
ok 'it says that it was interrupted'                    said 'interrupted'

start_long
kill -TERM "$bench"
ok 'TERM ends it'                                       wait_for 30 ended
is "$(schemas)" 0                                       'and the schema is gone'

start_long
kill -KILL "$(pgrep -P "$bench" | head -n 1)"
ok 'it ends when the process that measures is killed'   wait_for 30 ended
wait "$bench"
is $? 1                                                 'with status 1'
ok 'says so'                                            said 'was killed'
is "$(schemas)" 0                                       'and the schema is gone'

start_long
as_super "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pgcrew bench'" >/dev/null
ok 'it ends when its sessions are lost'                 wait_for 30 ended
is "$(schemas)" 0                                       'and the schema is gone all the same'

start_long
kill -KILL "$bench"
wait "$bench" 2>/dev/null
ok 'killed itself, it takes its processes along'        wait_for 20 nobody_left
is "$(schemas)" 1                                       'but the schema is left'
tool bench --jobs 10 --workers 1 --rounds 1 --sections enqueue
status_is 0 'the next run'
like "$errors" 'of an earlier run is removed'           'says what it found'
is "$(schemas)" 0                                       'and removes it'

sql 'create schema pgcrew_bench create table precious (x int)'
tool bench --jobs 10
status_is 1 'a schema of that name that is not ours is refused'
like "$errors" 'not made by pgcrew bench'               'and it is said why'
is "$(sql "select to_regclass('pgcrew_bench.precious') is not null")" t 'it is left alone'
sql 'drop schema pgcrew_bench cascade'
is "$(real_queue)" "$before"                            'after all that the real queue is as it was'

sql 'create role guest login; grant usage on schema auth to guest'
tool --database "host=$PGHOST dbname=app user=guest" bench --jobs 10
status_is 1 'who may not make a schema is refused'
like "$errors" 'grant create on database app to guest'  'and told what is missing'
as_super 'grant create on database app to guest; revoke usage on schema auth from guest'
tool --database "host=$PGHOST dbname=app user=guest" bench --jobs 10
like "$errors" 'grant usage on schema auth to guest'    'and what else'
as_super 'grant usage on schema auth to guest'
tool --database "host=$PGHOST dbname=app user=guest" bench --jobs 10 --workers 1 --rounds 1
status_is 0 'with both it measures'
tool bench --jobs 10 --workers 64
status_is 1 'more workers than the server has connections are refused'
like "$errors" 'more connections'                       'and it is said why'

tool bench --sections drain,sleep
status_is 2 'an unknown section is wrong use'
like "$errors" "no section 'sleep'"                     'and named'
tool bench --jobs 0
status_is 2 'so is a number out of range'
tool bench --database 'host=/nonexistent'
status_is 69 'no database'

if command -v script >/dev/null; then
    TERM=xterm script -qfec "'$build/pgcrew' bench --jobs 10 --workers 1 --rounds 1" "$pg_dir/said" </dev/null >/dev/null 2>&1
    ok 'on a terminal there is a bar'                   said '█.*░.* 40.0 %.*round 1 of 1: single'
else
    skip 'script is not installed' 'the bar on a terminal'
fi
is "$(find "$pg_dir/tmp" -mindepth 1)" ''                          'no temporary file is left by any of them'
done_testing
