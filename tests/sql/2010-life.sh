#!/usr/bin/env bash
# The life of a job: every way an attempt can end.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

holder=$(worker 1)
# start OPTIONS: a job, claimed; sets id and token.
start() {
    local claim
    sql "insert into jobs (kind${1:+, $1}) values ('a'${2:+, $2})"
    claim=$(claim "$holder" 1)
    token=$(token_of "$claim")
    id=$(ids_of "$claim")
}
job() {
    sql "select $1 from jobs where id = $id"
}
attempt() {
    sql "select $1 from (select * from pgcrew.attempts where job_id = $id order by id) x"
}

start
is "$(place "$id")" 'queued claimed' 'claimed: the job itself is not written to'
is "$(finish "$holder" "$token" "$id" succeeded 'results="{\"a\": 1}"')" '' 'succeeded: nothing more to say'
is "$(place "$id")" succeeded 'it is nowhere then'
is "$(job 'result, progress, attempts, error')" '{"a": 1}|100|1|' 'with its result, at 100 percent'
is "$(job "finished_at - started_at = '10 ms'")" t 'it says how long it ran'
is "$(attempt count\(*\))" 0 'there is no attempt to look at'

start
finish "$holder" "$token" "$id" succeeded >/dev/null
is "$(job result)" '' 'a success without a result'
while IFS='|' read -r what given kept; do
    start
    sql "select from pgcrew.finish($holder, $token, '{$id}', '{succeeded}', '{1}', null, array[$given], null, null, null, null, null)"
    is "$(job 'result')" "$kept" "a result that is $what"
done <<'END'
a number|'42'|42
null|'null'|null
text|'done'|"done"
almost JSON|'{"a":'|"{\"a\":"
empty|''|""
JSON with a NUL|'"\u0000"'|"\"\\u0000\""
half a surrogate|'"\ud800"'|"\"\\ud800\""
a number too large|'1e999999'|"1e999999"
END
start
is "$(sql "select from pgcrew.finish($holder, $token, '{$id}', '{succeeded}', '{1}', null, array[repeat('[', 100000)], null, null, null, null, null)"; job "length(result::text)")" \
    100002 'a result that is nested too deep is kept as text'

start max_attempts 3
is "$(finish "$holder" "$token" "$id" retry waits_ms=60000 errors=broken causes=signal signals=11 'stderrs="last words"')" \
    "$id queued 1 60000" 'retry: charged, and waits'
is "$(place "$id")" 'queued scheduled' 'it is scheduled'
is "$(sql "select run_at - now() between '55 s' and '65 s' from pgcrew.scheduled where job_id = $id")" t 'for then'
is "$(job 'error, progress, run_at > now(), finished_at')" 'broken|0|t|' 'it says why'
is "$(attempt 'attempt, cause, exit_code, signal, error, stderr_tail, holder_name')" '1|signal||11|broken|last words|host/1' 'the attempt is kept'
PGUSER=owner sql "update pgcrew.scheduled set run_at = now() where job_id = $id"
sql 'select pgcrew.promote(10)' >/dev/null
claim=$(claim "$holder" 1)
is "$(ids_of "$claim")" "$id" 'it is claimed again'
is "$(finish "$holder" "$(token_of "$claim")" "$id" retry waits_ms=0)" "$id queued 2 " 'no wait: ready at once'
is "$(place "$id")" 'queued ready' 'indeed'
claim=$(sql "select token || ':' || attempt from pgcrew.claim($holder, $(places default 9 0), null, 1)")
is "${claim#*:}" 3 'the third attempt is number 3'
is "$(finish "$holder" "${claim%:*}" "$id" retry waits_ms=60000 'errors="still broken"' exits=1)" "$id failed 3 " 'the last attempt fails the job'
is "$(place "$id") $(job error)" 'failed still broken' 'for good'
is "$(attempt 'attempt, cause, exit_code' | xargs)" '1|signal| 2|failed| 3|failed|1' 'all three attempts are there'

start max_attempts 1
finish "$holder" "$token" "$id" again waits_ms=1000 'errors="try later"' exits=75 >/dev/null
is "$(place "$id") $(job attempts) $(attempt 'attempt, cause')" 'queued scheduled 0 1|tempfail' 'again: waits and is not charged'
PGUSER=owner sql "update pgcrew.scheduled set run_at = now() where job_id = $id"
sql 'select pgcrew.promote(10)' >/dev/null
is "$(sql "select attempt, tempfails from pgcrew.claim($holder, $(places default 9 0), null, 1)")" '1|1' 'but the next claim says how often that was'

start
is "$(finish "$holder" "$token" "$id" failed errors=hopeless causes=permanent exits=65)" "$id failed 1 " 'failed: never again'
is "$(job 'error, finished_at is not null')|$(attempt cause)" 'hopeless|t|permanent' 'with the reason'

start
is "$(finish "$holder" "$token" "$id" cancelled)" "$id cancelled 0 " 'cancelled'
is "$(place "$id")|$(attempt cause)" 'cancelled|cancelled' 'is an end, with an attempt'
start
finish "$holder" "$token" "$id" cancelled ran_ms=null >/dev/null
is "$(place "$id")|$(attempt 'count(*)')" 'cancelled|0' 'before it was started: without'

start priority 6
is "$(finish "$holder" "$token" "$id" release)" "$id queued 0 " 'release'
is "$(place "$id") $(sql "select (place >> 44) & 15 from pgcrew.ready where job_id = $id") $(job started_at)$(attempt 'count(*)')" \
    'queued ready 3 0' 'puts it back where it was, as it was'
claim "$holder" 1 >/dev/null

start
is "$(sqlstate_of "select pgcrew.finish($holder, $token, '{$id}', '{done}', '{1}', null, null, null, null, null, null, null)")" 22023 'an unknown outcome is refused'
is "$(sqlstate_of "select pgcrew.finish($holder, $token, '{$id}', '{null}', '{1}', null, null, null, null, null, null, null)")" 22023 'so is none'
is "$(place "$id")" 'queued claimed' 'and changes nothing'
finish "$holder" "$token" "$id" release >/dev/null
claim "$holder" 1 >/dev/null

# running, written lazily.
start
is "$(sql "select pgcrew.report($holder, '{$token}', '{$id}', '{250}', '{12.5}', '{reading}')")" '' 'report: it is ours'
is "$(job 'status, progress, progress_note, started_at < now()')" 'running|12.5|reading|t' 'it runs, that far'
started=$(job started_at)
sql "select pgcrew.report($holder, '{$token}', '{$id}', '{900}', '{null}', null)" >/dev/null
is "$(job 'progress, progress_note, started_at')" "12.5|reading|$started" 'nothing new leaves what was there'
sql "select pgcrew.report($holder, '{$token}', '{$id}', '{900}', '{250}', '{null}')" >/dev/null
is "$(job progress)" 100 'more than 100 percent is 100'
sql "select pgcrew.report($holder, '{$token}', '{$id}', '{900}', '{NaN}', null)" >/dev/null
is "$(job 'progress between 0 and 100')" t 'and what is no number does no harm'
finish "$holder" "$token" "$id" release >/dev/null
is "$(place "$id") $(job 'progress, progress_note')" 'queued ready 0|' 'given back: queued again, from the start'
claim "$holder" 1 >/dev/null

# A claim of several, ended in parts.
PGUSER=owner sql 'truncate jobs'
sql "insert into jobs (kind, payload, max_attempts) select 'a', to_jsonb(i), 2 from generate_series(1, 8) i"
claim=$(claim "$holder" 8)
token=$(token_of "$claim")
IFS=, read -r a b c d e f g h <<<"$(ids_of "$claim")"
is "$(finish "$holder" "$token" "$c" succeeded)" '' 'one of eight'
is "$(sql "select job_ids from pgcrew.claims where token = $token")" "{$a,$b,$d,$e,$f,$g,$h}" 'the rest is still claimed, under the same token'
is "$(finish "$holder" "$token" "$g,$a,$e,$b" succeeded,failed,retry,release waits_ms=null,null,9000,null 'results="7",null,null,null' 'errors=null,bad,weak,null')" \
    "$a failed 1 
$b queued 0 
$e queued 1 9000" 'four more, each in its own way and any order'
is "$(sql "select string_agg(id || status || coalesce(result::text, '') || coalesce(error, ''), ' ' order by id) from jobs where id in ($a, $b, $e, $g)")" \
    "${a}failedbad ${b}queued ${e}queuedweak ${g}succeeded7" 'nothing is mixed up'
is "$(finish "$holder" "$token" "$a,$d,999999,$d" succeeded,succeeded,succeeded,failed)" "$a not-ours  
999999 not-ours  " 'what is not ours (any more) is named; what is said twice counts once'
is "$(place "$a")" failed 'and stays as it is'
is "$(finish "$holder" "$token" "$h,$f" succeeded,succeeded)" '' 'the last two, in another order'
is "$(sql 'select count(*) from pgcrew.claims')" 0 'then the claim is gone'
is "$(broken)" '' 'everything agrees'

# A key is free as soon as its job has ended, however.
PGUSER=owner sql 'truncate jobs'
for outcome in succeeded failed cancelled retry release; do
    start unique_key,max_attempts "'$outcome', 1"
    finish "$holder" "$token" "$id" "$outcome" >/dev/null
    is "$(sql "select count(*) from pgcrew.unique_keys where key = '$outcome'")" "$([ $outcome = release ] && echo 1 || echo 0)" "the unique key after $outcome"
done
is "$(broken)" '' 'everything agrees'

# Every end stays on its page: an update that does not costs an entry in each index.
PGUSER=owner sql 'truncate jobs'
before=$(PGUSER=postgres sql "select n_tup_upd - n_tup_hot_upd from pg_stat_user_tables where relid = 'public.jobs'::regclass")
sql "insert into jobs (kind, user_id, batch_id, payload)
     select 'resize', '$user', gen_random_uuid(), '{\"file\": \"a name of some length.jpeg\"}' from generate_series(1, 2000)"
for _ in 1 2 3 4; do
    claim=$(claim "$holder" 500)
    finish "$holder" "$(token_of "$claim")" "$(ids_of "$claim")" "$(ids_of "$claim" | sed 's/[0-9]*/succeeded/g')"
done
updates() {
    PGUSER=postgres sql "select n_tup_upd - n_tup_hot_upd - $before
                           from pg_stat_user_tables where relid = 'public.jobs'::regclass"
}
ended() { test "$(sql "select count(*) from jobs where status = 'succeeded'")" = 2000 && test -n "$(updates)"; }
ok 'two thousand jobs have ended, 500 at a time' wait_for 5 ended
PGUSER=postgres sql 'select pg_stat_force_next_flush()' >/dev/null
is "$(updates)" 0 'each where it was'

done_testing
