#!/usr/bin/env bash
# What a claim takes, and in which order.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

# take HOLDER QUEUES PRIORITIES IDS KINDS WANT [LAST]: the queue and payload of what it got.
take() {
    sql "select string_agg(queue || payload, ' ') from pgcrew.claim($1, $(places "$2" "$3" "$4" "${7:-$3}"), $5, $6)"
}
holder=$(worker 1)
is "$(sqlstate_of "select pgcrew.claim(99, '{}', '{}', null, 1)")" PC001 'a holder that is not there: PC001'
is "$(claim "$holder" 10)" '' 'nothing to take'

sql "insert into jobs (kind, priority, payload) select 'a', p, to_jsonb(p * 10 + i) from unnest('{0,5,9}'::int[]) p, generate_series(1, 3) i"
is "$(take "$holder" default 9 0 null 5 0)" 'default91 default92 default93 default51 default52' 'priority 9 is first, then in the order of coming'
is "$(sql 'select count(*) from pgcrew.ready') $(sql 'select count(*) from pgcrew.claims')" '4 1' 'five are gone from ready into one claim'
is "$(sql 'select job_ids = (select array_agg(id order by priority desc, id) from jobs where payload::int > 50 and payload::int <> 53) from pgcrew.claims')" t 'in that order'
is "$(take "$holder" default 5 0 null 10)" default53 'a priority that is not asked for is left'
is "$(take "$holder" default 0 0 null 0)" '' 'nothing wanted, nothing taken'

# Places are tried in the order given.
sql "delete from jobs where true"
sql "insert into jobs (kind, queue, payload) select 'a', q, to_jsonb(i) from unnest('{x,y,z}'::text[]) q, generate_series(1, 2) i order by q, i"
is "$(take "$holder" y,x 0,0 0,0 null 3)" 'x1 y1 y2' 'queue y first, what is left from x, z not at all'
is "$(sql "select string_agg(queue, '' order by queue) from pgcrew.ready")" xzz 'exactly so many rows were taken'

# Which kinds.
sql "delete from jobs where true"
sql "insert into jobs (kind, payload) values ('a', '1'), ('b', '2'), ('c', '3'), ('a', '4')"
is "$(take "$holder" default 0 0 "'{b,c}'" 10)" 'default2 default3' 'only kinds that have a handler'
is "$(take "$holder" default 0 0 "'{}'" 10)" '' 'no kinds, nothing'
is "$(take "$holder" default 0 0 null 10)" 'default1 default4' 'null: any kind'

# From where.
sql "delete from jobs where true"
sql "insert into jobs (kind, payload) select 'a', to_jsonb(i) from generate_series(1, 5) i"
third=$(sql "select r.job_id from pgcrew.ready r join jobs j on j.id = r.job_id where payload = '3'")
is "$(take "$holder" default 0 "$third" null 2)" 'default3 default4' 'not below the id that was given'
is "$(take "$holder" default 0 0 null 10)" 'default1 default2 default5' 'from 0 finds the others'
sql "delete from jobs where true"
sql "insert into jobs (kind, priority, payload) select 'a', p, to_jsonb(p * 10 + i) from unnest('{2,5,7}'::int[]) p, generate_series(1, 2) i"
second_of_5=$(sql "select id from jobs where payload = '52'")
is "$(take "$holder" default,default 9,5 "0,$second_of_5" null 10 6,0)" 'default71 default72 default52 default21 default22' \
    'a place reaches from an id of one priority over all of the next ones'

# What comes with a job.
sql "delete from jobs where true"
sql "insert into jobs (kind, queue, priority, payload, batch_id, user_id, max_attempts) values
     ('a', 'default', 4, '{\"b\": 1, \"a\": [true, null]}', '$(process 7)', '$user', 3)"
is "$(sql "select c.job_id = j.id, c.queue, c.priority, c.kind, c.payload, c.attempt, c.max_attempts, c.batch_id, c.user_id, c.tempfails
             from pgcrew.claim($holder, $(places default 4 0), null, 1) c, jobs j")" \
    "t|default|4|a|{\"a\": [true, null], \"b\": 1}|1|3|$(process 7)|$user|0" 'the job, as it was put in'

# Jobs that are gone or ended by other hands.
sql "delete from jobs where true"
sql "insert into jobs (kind, payload) select 'a', to_jsonb(i) from generate_series(1, 4) i"
PGUSER=owner sql "update jobs set status = 'cancelled', finished_at = now() where payload = '2'"
PGUSER=owner sql "alter table jobs disable trigger jobs_leave; delete from jobs where payload = '3'; alter table jobs enable trigger jobs_leave"
is "$(take "$holder" default 0 0 null 10)" 'default1 default4' 'a row of ready without a living job is dropped'
is "$(sql "select count(*) from pgcrew.ready"),$(broken)" '0,' 'for good'

# No more rows are locked than are taken, so two workers do not starve each other.
sql "delete from jobs where true"
sql "insert into jobs (kind, queue, payload) select 'a', q, to_jsonb(i) from unnest('{x,y}'::text[]) q, generate_series(1, 50) i"
second=$(worker 2)
psql -XAtq >"$pg_dir/held" 2>&1 <<END &
begin;
select count(*) from pgcrew.claim($holder, $(places x,y 9,9 0,0 0,0), null, 60);
select pg_sleep(2);
commit;
END
wait_for 5 grep -q 60 "$pg_dir/held"
is "$(sql "select count(*) from pgcrew.claim($second, $(places x,y 9,9 0,0 0,0), null, 60)")" 40 'while 60 of 100 are being claimed, another gets the other 40'
wait

# The plan, made on an empty queue, holds when the queue is long and its front is dead.
sql "delete from jobs where true"
PGUSER=postgres sql 'vacuum analyze'
cat >"$pg_dir/plan.sql" <<END
load 'auto_explain';
select count(*) from pgcrew.claim($holder, $(places default 9 0), null, 100);
insert into jobs (kind) select 'a' from generate_series(1, 30000);
select count(*) from pgcrew.claim($holder, $(places default 9 0), null, 20000);
select max(s) as top from pgcrew.claims, unnest(job_ids) s \\gset
set auto_explain.log_min_duration = 0;
set auto_explain.log_nested_statements = on;
set auto_explain.log_analyze = on;
set auto_explain.log_buffers = on;
set client_min_messages = log;
select count(*) from pgcrew.claim($holder, array[pgcrew.place(1, 9, 0), pgcrew.place(1, 0, :top)], array[pgcrew.place(1, 0, 0) - 1, pgcrew.place(2, 9, 0)], null, 100);
END
psql -XAtq -U postgres -f "$pg_dir/plan.sql" >"$pg_dir/plan" 2>&1
like "$(cat "$pg_dir/plan")" 'Index Scan using ready_pkey' 'the claim goes by the index'
like "$(cat "$pg_dir/plan")" 'Tid Scan on ready r' 'and takes the rows by their place'
is "$(grep -cE 'Seq Scan|Bitmap|Hash Join|Merge Join' "$pg_dir/plan")" 0 'with nothing else'
touched=$(sed -n '/Index Scan using ready_pkey/,$p' "$pg_dir/plan" | sed -n 's/.*Buffers: shared hit=\([0-9]*\).*/\1/p' | head -n 1)
ok "and does not walk over the dead ($touched buffers)" test "${touched:-9999}" -lt 50

done_testing
