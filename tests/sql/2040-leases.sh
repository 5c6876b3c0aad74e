#!/usr/bin/env bash
# Leases: who holds them, how they end, and what becomes of the jobs.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

attempts() {
    sql "select cause from pgcrew.attempts where job_id = $1 order by id" | xargs
}
expire() {
    PGUSER=owner sql "update pgcrew.workers set seen_at = seen_at - interval '1 hour', lease = '1 ms' where process = '$(process "$1")'"
}

# Register.
is "$(sql "select tokens from pgcrew.register_worker('$(process 1)', 'alpha', 3, 77, '1.0', '{x,y}', '{a,b}', 4, 30000)")" '{}' 'a new worker has no claims'
is "$(sql 'select process, name, slot, pid, version, queues, kinds, slots, lease, idle from pgcrew.workers')" \
    "$(process 1)|alpha|3|77|1.0|{x,y}|{a,b}|4|00:00:30|f" 'it is written down'
first=$(worker 1)
is "$(sql 'select count(*) from pgcrew.workers')" 1 'the same process anew replaces itself'
sql "insert into jobs (kind) select 'a' from generate_series(1, 4)"
claim1=$(claim "$first" 2)
claim2=$(claim "$first" 1)
is "$(sql "select tokens from pgcrew.register_worker('$(process 1)', 'host', 1, 100, 'test', '{default}', null, 2, 30000)")" \
    "{$(token_of "$claim1"),$(token_of "$claim2")}" 'what it had claimed comes with it'
holder=$(sql 'select holder from pgcrew.workers')
not_ok 'the holder is another' test "$holder" = "$first"
is "$(finish "$first" "$(token_of "$claim1")" "$(ids_of "$claim1")" succeeded,succeeded | cut -d ' ' -f 2 | xargs)" 'not-ours not-ours' 'as the old one it can finish nothing'
is "$(finish "$holder" "$(token_of "$claim1")" "$(ids_of "$claim1")" succeeded,succeeded)$(sql "select string_agg(status, ' ') from jobs where id in ($(ids_of "$claim1"))")" 'succeeded succeeded' 'as the new one it can'

# Heartbeat.
two=$(worker 2)
PGUSER=owner sql "update pgcrew.workers set seen_at = now() - interval '10 s'"
is "$(sql "select process, cancels from pgcrew.heartbeat('{$(process 1),$(process 2),$(process 3)}') order by 1")" \
    "$(process 1)|{}
$(process 2)|{}" 'those that are there come back'
is "$(sql "select count(*) from pgcrew.workers where seen_at > now() - interval '5 s'")" 2 'and have been seen'
is "$(sql "select count(*) from pgcrew.heartbeat('{}')")" 0 'nobody asked, nobody seen'
id=$(ids_of "$claim2")
sql "select pgcrew.cancel_jobs('{$id}')" >/dev/null
is "$(sql "select process, cancels from pgcrew.heartbeat('{$(process 1),$(process 2)}') order by 1" | xargs)" "$(process 1)|{$id} $(process 2)|{}" \
    'a cancel is told to its worker only'
PGUSER=owner sql "update pgcrew.workers set seen_at = now() - interval '10 s'"
# Others hold locks until they are told.
until_told="\\! while [ ! -e $pg_dir/told ]; do sleep 0.02; done"
tell() {
    touch "$pg_dir/told"
    wait
    rm -f "$pg_dir/told" "$pg_dir/lock"
}
psql -XAtq -U owner >"$pg_dir/lock" <<END &
begin;
select 1 from pgcrew.workers where holder = $two for update;
$until_told
END
wait_for 5 test -s "$pg_dir/lock"
is "$(PGOPTIONS='-c statement_timeout=1s' sql "select count(*) from pgcrew.heartbeat('{$(process 1),$(process 2)}')")" 2 \
    'a row that is locked keeps nobody waiting, and is still there'
is "$(sql "select process from pgcrew.workers where seen_at > now() - interval '5 s'")" "$(process 1)" 'the others have been seen'
tell

# A worker ends as planned.
sql "select pgcrew.report($holder, '{$(token_of "$claim2")}', '{$id}', '{500}', null, null)" >/dev/null
sql 'delete from jobs where true'
sql "insert into jobs (kind) select 'a' from generate_series(1, 3)"
claim=$(claim "$two" 3)
IFS=, read -r a b c <<<"$(ids_of "$claim")"
ids=$(sql "select job_ids from pgcrew.claims where token = $(token_of "$claim")")
sql "select pgcrew.report($two, '{$(token_of "$claim")}', '{$a}', '{500}', '{30}', null)" >/dev/null
is "$(sql "select pgcrew.unregister_worker('$(process 2)')")" 3 'a worker leaves: three jobs go back'
is "$(sql 'select array_agg(job_id order by job_id) from pgcrew.ready')" "$ids" 'where they were, each as a row of its own'
is "$(place "$a") $(attempts "$a")" 'queued ready ' 'nothing is charged, not even the one that ran'
is "$(sql "select pgcrew.unregister_worker('$(process 2)')")" 0 'a second time there is nothing'

# A worker dies.
two=$(worker 2)
claim=$(claim "$two" 3)
sql "select pgcrew.report($two, '{$(token_of "$claim")}', '{$a}', '{500}', '{30}', null)" >/dev/null
is "$(sql "select pgcrew.reap_process('$(process 2)', '{$b}')")" 3 'a worker dies: three jobs go back'
is "$(place "$a") $(place "$b") $(place "$c")" 'queued ready queued ready queued ready' 'all are ready'
is "$(attempts "$a"),$(attempts "$b"),$(attempts "$c")" 'worker_died,worker_died,' 'those that ran are noted: by the database or by the supervisor'
is "$(sql "select attempts, error from jobs where id = $b")" '0|' 'it is no charged attempt'
is "$(sql "select holder_name, error from pgcrew.attempts where job_id = $b")" 'host/2|the worker process died while the job ran' 'by whom'
is "$(sql 'select array_agg(job_id order by job_id) from pgcrew.ready')" "$ids" 'where they were'
is "$(sql "select pgcrew.reap_process('$(process 2)', '{$b}')")" 0 'asked again: nothing'
is "$(attempts "$b")" worker_died 'nothing noted twice'
is "$(sql "select pgcrew.reap_process('$(process 9)', null)")" 0 'a process that never was'

# A worker dies with its supervisor: nobody has seen it, nobody is blamed.
two=$(worker 2)
claim=$(claim "$two" 3)
sql "select pgcrew.report($two, '{$(token_of "$claim")}', '{$c}', '{500}', '{30}', null)" >/dev/null
is "$(sql "select pgcrew.reap_process('$(process 2)', null)")" 3 'a worker dies with its supervisor: three jobs go back'
is "$(attempts "$a"),$(attempts "$b"),$(attempts "$c")" 'worker_died,worker_died,host_lost' 'the one that ran is noted as lost with its host'
is "$(sql "select error from pgcrew.attempts where job_id = $c")" 'the daemon or its host was lost while the job ran' 'in words'
is "$(sql "select attempts from jobs where id = $c")" 0 'and not charged'
sql "delete from pgcrew.attempts where job_id = $c" >/dev/null 2>&1 || PGUSER=owner sql "delete from pgcrew.attempts where job_id = $c"

# A job that kills its worker is taken out the third time.
for death in 2 3; do
    two=$(worker 2)
    claim=$(claim "$two" 3)
    is "$(sql "select max(crashes) from pgcrew.claims c, unnest(job_ids) i, lateral (select count(*) as crashes from pgcrew.attempts where job_id = i and cause = 'worker_died') x")" \
        $((death - 1)) "$((death - 1)) so far"
    sql "select pgcrew.reap_process('$(process 2)', '{$b}')" >/dev/null
done
is "$(place "$b")" failed 'three dead workers: quarantined'
is "$(sql "select error, finished_at is not null from jobs where id = $b")" 'quarantined: 3 workers and 0 hosts died while this job ran|t' 'and it says so'
is "$(place "$a") $(place "$c")" 'queued ready queued ready' 'those that were only claimed with it are not'
sql "select pgcrew.retry_jobs('{$b}')" >/dev/null
two=$(worker 2)
claim "$two" 3 >/dev/null
sql "select pgcrew.reap_process('$(process 2)', '{$b}')" >/dev/null
is "$(place "$b")" 'queued ready' 'a person may try it again: the count starts anew'
is "$(broken)" '' 'everything agrees'

# A host dies.
two=$(worker 2)
three=$(worker 3)
claim=$(claim "$two" 2)
other=$(claim "$three" 1)
IFS=, read -r a b <<<"$(ids_of "$claim")"
sql "select pgcrew.report($two, '{$(token_of "$claim")}', '{$a}', '{500}', '{30}', null)" >/dev/null
is "$(sql 'select * from pgcrew.reap_expired()')" '' 'nobody is late'
PGUSER=owner sql "update pgcrew.workers set seen_at = now() - interval '2 hours', lease = '1 hour' where process = '$(process 2)'"
is "$(sql 'select * from pgcrew.reap_expired()')" '' 'right after a start of the server everybody gets a lease to come back'
expire 2
is "$(sql 'select * from pgcrew.reap_expired()')" 'host|2|2' 'a lease is over: two jobs go back'
is "$(place "$a") $(place "$b")" 'queued ready queued ready' 'they are ready'
is "$(attempts "$a" | grep -o 'host_lost'),$(attempts "$b" | grep -c host_lost)" 'host_lost,0' 'the one that ran is noted'
is "$(sql "select count(*) from pgcrew.claims where token = $(token_of "$other")")" 1 'the others keep theirs'
is "$(sql 'select * from pgcrew.reap_expired()')" '' 'once'
is "$(sql "select count(*) from pgcrew.heartbeat('{$(process 2)}')")" 0 'should it come back, it is told'

PGUSER=owner sql "delete from pgcrew.workers where process = '$(process 3)'"
is "$(sql 'select * from pgcrew.reap_expired()')" 'unknown|0|1' 'a claim without a holder goes back, too'
is "$(broken)" '' 'everything agrees'

# The clock of the server goes back: a lease does not get longer by that.
worker 4 >/dev/null
PGUSER=owner sql "update pgcrew.workers set seen_at = now() + interval '2 hours' where process = '$(process 4)'"
is "$(sql 'select * from pgcrew.reap_expired()')" '' 'who was seen in the future is not late'
is "$(sql "select seen_at <= now() from pgcrew.workers where process = '$(process 4)'")" t 'but has its lease from now on'
PGUSER=owner sql "delete from pgcrew.workers where process = '$(process 4)'"

# It jumps ahead: all leases seem over, and who lives has to be heard of first.
PGUSER=owner sql 'delete from pgcrew.workers where true'
sql 'select from pgcrew.reap_expired()' >/dev/null
worker 4 >/dev/null
lost() { # when it was seen and doubted, with a lease of two seconds -> is it lost at the next look?
    PGUSER=owner sql "
        update pgcrew.workers set lease = '2 s', seen_at = now() - interval '$1', doubted_at = now() - $2::interval;
        select count(*) > 0 from pgcrew.reap_expired(true)"
}
is "$(lost '1 hour' null)" f                   'late for the first time: not lost'
is "$(sql 'select doubted_at > seen_at from pgcrew.workers')" t 'but doubted'
is "$(lost '1 hour' "'100 ms'")" f             'nor at a look of somebody else right after it'
is "$(lost '1900 ms' "'1 s'")" f               'doubted, and its lease is not over'
is "$(lost '100 ms' "'1 s'")" f                'heard of since'
is "$(lost '2100 ms' "'700 ms'")" t            'late, and not heard of since an earlier look: lost'

# Two janitors do not do it at once, and nobody who is locked holds it up.
worker 4 >/dev/null
expire 4
psql -XAtq >"$pg_dir/reaper" <<END &
begin;
select 'got', * from pgcrew.reap_expired();
$until_told
rollback;
END
wait_for 5 test -s "$pg_dir/reaper"
is "$(PGOPTIONS='-c statement_timeout=1s' sql 'select * from pgcrew.reap_expired()')" '' 'while one reaps, another goes on with other things'
tell
psql -XAtq -U owner >"$pg_dir/lock" <<END &
begin;
select 1 from pgcrew.workers where process = '$(process 4)' for update;
$until_told
END
wait_for 5 test -s "$pg_dir/lock"
is "$(PGOPTIONS='-c statement_timeout=1s' sql 'select * from pgcrew.reap_expired()')" '' 'a holder that is locked is left'
tell
is "$(sql 'select * from pgcrew.reap_expired()')" 'host|4|0' 'for the next time'

# A lost host now and then is no reason to give a job up; ten are.
PGUSER=owner sql 'truncate jobs'
sql "insert into jobs (kind) values ('a')"
for n in 1 2 3 4 5 6 7 8 9 10; do
    h=$(worker 5 1)
    claim=$(claim "$h" 1)
    a=$(ids_of "$claim")
    sql "select pgcrew.report($h, '{$(token_of "$claim")}', '{$a}', '{500}', null, null)" >/dev/null
    sql 'select from pgcrew.reap_expired()' >/dev/null
    [ $n != 9 ] || is "$(place "$a")" 'queued ready' 'nine lost hosts: still queued'
done
is "$(place "$a") $(sql "select error from jobs where id = $a")" 'failed quarantined: 0 workers and 10 hosts died while this job ran' 'ten: quarantined'
is "$(broken)" '' 'everything agrees'

done_testing
