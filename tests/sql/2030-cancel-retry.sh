#!/usr/bin/env bash
# Cancel, in every state, and retry.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

holder=$(worker 1)
cancel() {
    sql "select job_id, what from pgcrew.cancel_jobs('{$1}') order by job_id" -F ' '
}
new() {
    sql "insert into jobs (kind${1:+, $1}) values ('a'${2:+, $2}) returning id"
}
heard() { # what a listener got
    psql -XAtq -c 'listen pgcrew' -c "$1" -c 'select 1' | grep -c '"pgcrew" with payload "cancel"'
}

id=$(new unique_key "'k'")
is "$(cancel "$id")" "$id cancelled" 'ready: cancelled'
is "$(place "$id") $(sql 'select count(*) from pgcrew.unique_keys')" 'cancelled 0' 'at once, and its key is free'
id=$(new run_at "now() + interval '1 day'")
is "$(cancel "$id")" "$id cancelled" 'scheduled: cancelled'
is "$(place "$id")" cancelled 'at once'
is "$(cancel "$id")" "$id ended" 'ended: too late'
is "$(cancel 999999)" '999999 unknown' 'unknown'
is "$(cancel '')" '' 'none at all'
is "$(cancel null)" '' 'null is none'

id=$(new)
claim=$(claim "$holder" 1)
is "$(cancel "$id")" "$id asked" 'claimed: its worker is asked'
is "$(place "$id")" 'queued claimed cancel-asked' 'and keeps it for now'
is "$(cancel "$id")" "$id asked" 'asked twice'
is "$(sql "select cancels from pgcrew.heartbeat('{$(process 1)}')")" "{$id}" 'the heartbeat tells it'
is "$(finish "$holder" "$(token_of "$claim")" "$id" cancelled)" "$id cancelled 0 " 'the worker obeys'
is "$(place "$id") $(sql "select cancels from pgcrew.heartbeat('{$(process 1)}')")" 'cancelled {}' 'and that is that'

for outcome in retry again release; do
    id=$(new)
    claim=$(claim "$holder" 1)
    cancel "$id" >/dev/null
    is "$(finish "$holder" "$(token_of "$claim")" "$id" $outcome waits_ms=1000 | cut -d ' ' -f 2)" cancelled "asked to cancel, it does not come again after $outcome"
    is "$(place "$id")" cancelled 'and is nowhere'
done
for outcome in succeeded failed; do
    id=$(new)
    claim=$(claim "$holder" 1)
    cancel "$id" >/dev/null
    finish "$holder" "$(token_of "$claim")" "$id" $outcome >/dev/null
    is "$(place "$id")" $outcome "it had $outcome before it heard of it"
done
id=$(new)
claim "$holder" 1 >/dev/null
cancel "$id" >/dev/null
is "$(sql "select pgcrew.reap_process('$(process 1)', '{$id}')")" 1 'its worker dies'
is "$(place "$id")" cancelled 'asked to cancel, it is not given to another'
is "$(broken)" '' 'everything agrees'

# Several at once, all kinds.
holder=$(worker 2)
a=$(new)
claim "$holder" 1 >/dev/null
b=$(new)
c=$(new run_at "now() + interval '1 day'")
d=$(new status,finished_at "'failed', now()")
is "$(cancel "$d,$c,$b,$a,$a,888888" | cut -d ' ' -f 2 | xargs)" "$(printf '%s asked\n%s cancelled\n%s cancelled\n%s ended\n888888 unknown\n' "$a" "$b" "$c" "$d" | sort -n | cut -d ' ' -f 2 | xargs)" \
    'each in its way, each once'

# A job that somebody lost by hand.
id=$(new)
PGUSER=owner sql "delete from pgcrew.ready where job_id = $id"
is "$(cancel "$id") $(place "$id")" "$id cancelled cancelled" 'a queued job that is in no table can still be cancelled'

# A batch, by its user and by the service.
batch=99999999-9999-9999-9999-999999999999
PGUSER=owner sql 'truncate jobs'
sql "insert into jobs (kind, batch_id, user_id) select 'a', '$batch', u from unnest('{$user,$user,$user,$user2}'::uuid[]) u"
claim "$holder" 1 >/dev/null
is "$(as "$user2" "select cancel_batch('$batch')")" 1 'a user cancels what is his own in a batch'
is "$(as "$user" "select cancel_batch('$batch')")" 3 'two that wait and one that runs'
is "$(sql "select status || coalesce((select ' asked' from pgcrew.cancels where job_id = id), '') from jobs order by id" | xargs)" 'queued asked cancelled cancelled cancelled' \
    'are cancelled or asked'
is "$(as "$user" "select cancel_batch('$(process 8)')")" 0 'a batch that is not there has nothing to cancel'
sql "insert into jobs (kind, batch_id) select 'b', '$batch' from generate_series(1, 5)"
is "$(sql "select * from pgcrew.cancel_batch_jobs('$batch')")" '5|1' 'the service cancels for everybody'
is "$(broken)" '' 'everything agrees'

# To the worker at once.
id=$(new)
claim "$holder" 1 >/dev/null
id2=$(new)
is "$(heard "select pgcrew.cancel_jobs('{$id2}')")" 0 'nobody is told when nobody has it'
is "$(heard "select pgcrew.cancel_jobs('{$id}')")" 1 'the janitors are told when a worker has it'

# Retry.
retry() {
    sql "select job_id, what from pgcrew.retry_jobs('{$1}') order by job_id" -F ' '
}
PGUSER=owner sql 'truncate jobs'
holder=$(worker 3)
id=$(new max_attempts,unique_key "1, 'k'")
claim=$(claim "$holder" 1)
is "$(retry "$id")" "$id not_ended" 'a claimed job is not queued again'
finish "$holder" "$(token_of "$claim")" "$id" retry 'errors=bad' 'results=1' >/dev/null
is "$(retry "$id")" "$id queued" 'a failed job is'
is "$(place "$id") $(sql "select attempts, progress, error, result, started_at, finished_at from jobs where id = $id")" 'queued ready 0|0||||' 'from the start'
is "$(sql 'select key from pgcrew.unique_keys')" k 'with its key'
is "$(retry "$id")" "$id not_ended" 'once'
sql "select pgcrew.cancel_jobs('{$id}')" >/dev/null
id2=$(new unique_key "'k'")
is "$(retry "$id")" "$id duplicate" 'not when another has its key by now'
is "$(place "$id") $(place "$id2")" 'cancelled queued ready' 'which changes nothing'
claim=$(claim "$holder" 1)
finish "$holder" "$(token_of "$claim")" "$id2" succeeded >/dev/null
is "$(retry "$id2,$id,777777,$id")" "$(printf '%s queued\n%s succeeded\n777777 unknown\n' "$id" "$id2" | sort -n)" 'each in its way, each once'
is "$(broken)" '' 'everything agrees'

PGUSER=owner sql 'truncate jobs'
sql "insert into jobs (kind, batch_id, status, finished_at) select 'a', '$batch', s, now() from unnest('{failed,cancelled,succeeded,failed}'::text[]) s"
sql "insert into jobs (kind, batch_id) values ('a', '$batch')"
is "$(sql "select pgcrew.retry_batch('$batch')")" 3 'a batch: what failed or was cancelled'
is "$(sql 'select count(*) from pgcrew.ready')" 4 'is ready with the rest'
is "$(broken)" '' 'everything agrees'

done_testing
