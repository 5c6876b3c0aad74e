#!/usr/bin/env bash
# Jobs for later, who is woken when, and kinds that nobody handles.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

# heard QUERY [SETUP...]: what NOTIFYs a listener gets when others run the query.
heard() {
    psql -XAtq -c 'listen pgcrew' -c "$1" -c 'select 1' | sed -n 's/^Asynchronous notification "pgcrew" with payload "\([a-z]*\)".*/\1/p' | xargs
}
idle() {
    sql "select idle from pgcrew.workers where process = '$(process "$1")'"
}

# Promotion.
is "$(sql 'select * from pgcrew.promote(100)')" '0|' 'nothing scheduled, nothing due'
sql "insert into jobs (kind, run_at, payload, priority) values ('a', now() + interval '2 s', '4', 0), ('a', now() + interval '1 hour', '5', 0)"
PGUSER=owner sql "insert into jobs (kind, run_at, payload, priority) select 'a', now() + interval '1 day', to_jsonb(i), 3 from generate_series(1, 3) i;
                  update pgcrew.scheduled s set run_at = now() - j.payload::int * interval '1 minute' from jobs j where j.id = s.job_id and payload::int < 4"
is "$(sql 'select moved, next_due_ms from pgcrew.promote(2)')" '2|0' 'two of three that are due: come again at once'
is "$(sql "select string_agg(payload::text, ' ' order by r.job_id) from pgcrew.ready r join jobs j on j.id = r.job_id")" '2 3' 'those that were due first'
is "$(sql 'select (place >> 44) & 15 from pgcrew.ready' | xargs)" '6 6' 'with their priority'
is "$(sql 'select moved, next_due_ms between 0 and 2000 from pgcrew.promote(100)')" '1|t' 'the third: come again when the fourth is due'
promoted() { test "$(sql 'select moved from pgcrew.promote(100)')" = 1; }
ok 'which it is soon' wait_for 5 promoted
is "$(sql 'select moved, next_due_ms between 3500000 and 3600000 from pgcrew.promote(100)')" '0|t' 'then there is time'
is "$(broken)" '' 'everything agrees'

# Nobody is woken while nobody waits.
PGUSER=owner sql 'truncate jobs'
is "$(heard "insert into jobs (kind) values ('a')")" '' 'without a worker an insert tells nobody'
one=$(worker 1)
is "$(heard "insert into jobs (kind) values ('a')")" '' 'nor with one that is busy'
claim "$one" 1 >/dev/null
is "$(idle 1)" f 'a worker that found work is not idle'
claim "$one" 10 >/dev/null
is "$(idle 1)" t 'one that found less than it wanted is: it can take more'
before=$(sql 'select ctid, xmin from pgcrew.workers')
claim=$(claim "$one" 10)
is "$claim$(idle 1)" t 'so is one that found nothing'
is "$(sql 'select ctid, xmin from pgcrew.workers')" "$before" 'and nothing is written to say so again'
before=$(sql 'select ctid, xmin from pgcrew.workers')
claim "$one" 10 >/dev/null
is "$(sql 'select ctid, xmin from pgcrew.workers')" "$before" 'looking again writes nothing'
is "$(heard "insert into jobs (kind) values ('a')")" ready 'then an insert tells'
is "$(heard "begin; insert into jobs (kind) values ('a'); insert into jobs (kind) values ('a'); commit")" ready 'once a transaction'
is "$(heard "select pgcrew.enqueue('a')")" ready 'so does enqueue'
is "$(heard "begin; insert into jobs (kind) values ('a'); rollback")" '' 'not what is rolled back'
PGUSER=owner sql "update pgcrew.workers set seen_at = seen_at - interval '1 hour'"
is "$(heard "insert into jobs (kind) values ('a')")" '' 'a worker whose lease is over waits for nothing'
sql "select pgcrew.heartbeat('{$(process 1)}')" >/dev/null
psql -XAtq >"$pg_dir/sender" <<END &
begin;
insert into jobs (kind) values ('a') returning 'sent';
select pg_sleep(1.5);
commit;
END
wait_for 5 test -s "$pg_dir/sender"
is "$(heard "insert into jobs (kind) values ('a')")" '' 'while one is about to tell, another need not'
wait
claim=$(claim "$one" 3)
is "$(idle 1)" f 'found work: no longer idle'
is "$(heard "insert into jobs (kind) values ('a')")" '' 'and told no more'

# Everything that makes jobs claimable tells an idle worker.
two=$(worker 2)
PGUSER=owner sql 'truncate jobs'
claim "$two" 1 >/dev/null
again() { # a job that one has, and two waits
    sql "insert into jobs (kind) values ('a')"
    claim=$(claim "$one" 1)
}
finishing() {
    echo "select pgcrew.finish($one, $(token_of "$claim"), '{$(ids_of "$claim")}', '{$1}', '{1}', '{$2}', null, null, null, null, null, null)"
}
again
is "$(heard "$(finishing release null)")" ready 'a release tells'
claim=$(claim "$one" 1)
is "$(heard "$(finishing retry 0)")" ready 'so does a retry at once'
claim=$(claim "$one" 1)
is "$(heard "$(finishing again 60000)")" '' 'one in a minute does not'
again
is "$(heard "$(finishing retry 1000)")" scheduled 'one in a second tells that it will be due'
again
is "$(heard "$(finishing succeeded null)")" '' 'a success tells nobody'
is "$(heard "insert into jobs (kind, run_at) values ('a', now() + interval '1 s')")" scheduled 'an insert for soon tells that'
is "$(heard "insert into jobs (kind, run_at) values ('a', now() + interval '1 hour')")" '' 'one for later does not'
PGUSER=owner sql "update pgcrew.scheduled set run_at = now()"
is "$(heard 'select pgcrew.promote(100)')" ready 'what falls due tells'
claim=$(claim "$one" 100)
is "$(heard "select pgcrew.reap_process('$(process 1)', null)")" ready 'what a dead worker had tells'
one=$(worker 1)
claim=$(claim "$one" 100)
is "$(heard "select pgcrew.release_unknown($one, '{}')")" ready 'a claim given back unseen tells'
claim=$(claim "$one" 100)
IFS=, read -r id _ <<<"$(ids_of "$claim")"
finish "$one" "$(token_of "$claim")" "$id" failed >/dev/null
is "$(heard "select pgcrew.retry_jobs('{$id}')")" ready 'a retry by hand tells'
is "$(heard "select pgcrew.unregister_worker('$(process 1)')")" ready 'a worker that leaves tells'
is "$(broken)" '' 'everything agrees'

# What waits for the idle workers of one host.
PGUSER=owner sql 'truncate jobs'
sql "select pgcrew.unregister_worker('$(process 2)')" >/dev/null
waits() { sql "select waits from pgcrew.waits_for('{$(process 1),$(process 2)}')"; }
set_idle() { PGUSER=owner sql "update pgcrew.workers set idle = $2 where process = '$(process "$1")'"; }
is "$(sql "select waits, cost_ms >= 0 from pgcrew.waits_for('{}')")" 'f|t' 'nobody, nothing'
is "$(sql 'select waits from pgcrew.waits_for(null)')" f 'no processes'
worker 1 30000 x a,b >/dev/null && set_idle 1 true
worker 3 30000 y >/dev/null && set_idle 3 true
is "$(waits)" f 'one is idle, nothing waits'
sql "insert into jobs (kind, queue) values ('c', 'x'), ('a', 'y')"
is "$(waits)" f 'what waits is of a kind it has not, or in a queue it does not serve'
is "$(sql "select waits from pgcrew.waits_for('{$(process 3)}')")" t 'but waits for a worker of another host'
sql "insert into jobs (kind, queue, priority) values ('b', 'x', 0)"
is "$(waits)" t 'one of its kinds waits, of whatever priority'
set_idle 1 false
is "$(waits)" f 'but not for a worker that has work'
worker 2 30000 x >/dev/null && set_idle 2 true
is "$(waits)" t 'anything waits for one that has a handler for all'
set_idle 2 false
PGUSER=owner sql 'truncate jobs'
set_idle 1 true
sql "insert into jobs (kind, queue) select 'c', 'x' from generate_series(1, 999)"
is "$(waits)" f '999 of a kind it has not'
sql "insert into jobs (kind, queue) values ('c', 'x')"
is "$(waits)" t 'a thousand: something may wait behind them'
sql "select pgcrew.unregister_worker(p) from unnest('{$(process 1),$(process 2),$(process 3)}'::uuid[]) p" >/dev/null

# Kinds without a handler.
PGUSER=owner sql 'truncate jobs'
worker 3 30000 x a,b >/dev/null
worker 4 30000 y >/dev/null
sql "insert into jobs (kind, queue) select k, q from unnest('{a,a,c,c,c}'::text[]) k, unnest('{x,y,z}'::text[]) q"
is "$(sql "select queue, kind, jobs from pgcrew.survey('{x,y,z}')")" 'x|c|3
z|a|2
z|c|3' 'what waits that nobody handles: kind c in x; anything in z, which nobody serves; nothing in y'
is "$(sql "select queue, kind, jobs from pgcrew.survey('{y}')")" '' 'only in the queues asked for'
PGUSER=owner sql "update pgcrew.workers set seen_at = seen_at - interval '1 hour' where process = '$(process 4)'"
is "$(sql "select queue, kind, jobs from pgcrew.survey('{y}')")" 'y|a|2
y|c|3' 'a worker whose lease is over handles nothing'
sql "insert into jobs (kind, queue) select 'd', 'x' from generate_series(1, 2000)"
is "$(sql "select kind, jobs from pgcrew.survey('{x}')" | xargs)" 'c|3 d|995' 'it looks at the next thousand jobs, two of which have a handler'
is "$(sql "select count(*) from pgcrew.survey(null)")" 0 'no queues'

done_testing
