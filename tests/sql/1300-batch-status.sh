#!/usr/bin/env bash
# What batch_status answers.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

batch=99999999-9999-9999-9999-999999999999
status() { # jq-like: a path of keys
    as "$user" "select batch_status('$batch'${2:+, $2}) #>> '{$1}'"
}
summary() {
    as "$user" "select concat_ws(' ', s ->> 'status', 'done=' || (s ->> 'done'), s ->> 'total', s ->> 'queued', s ->> 'running',
                                 s ->> 'succeeded', s ->> 'failed', s ->> 'cancelled', (s ->> 'percent') || '%')
                  from batch_status('$batch') s"
}
is "$(as_sqlstate "$user" "select batch_status('$batch')")" PT404 'no such batch: PT404'
like "$(as "$user" "select batch_status('$batch')" 2>&1)" 'Job not found' 'in these words'
is "$(as_sqlstate "$user" 'select batch_status(null)')" PT404 'no batch at all is not found either'
is "$(as_sqlstate "$user" "select batch_status('no uuid')")" 22P02 'what is no uuid is bad input'

sql "insert into jobs (kind, batch_id, user_id, max_attempts) select 'a', '$batch', '$user', 1 from generate_series(1, 4)"
sql "insert into jobs (kind, batch_id, user_id, queue) select 'a', '$batch', '$user2', 'other' from generate_series(1, 2)"
is "$(summary)" 'queued done=false 4 4 0 0 0 0 0.0%' 'at first all are queued; another user in the same batch is not counted'
is "$(status eta_seconds)" '' 'nobody knows how long it will take'
is "$(as "$user" "select array_agg(k order by k) from jsonb_object_keys(batch_status('$batch')) k")" \
    '{batch_id,cancelled,created_at,done,eta_seconds,failed,finished_at,jobs,jobs_truncated,percent,queued,running,started_at,status,succeeded,total}' \
    'these are its keys'
is "$(as "$user" "select array_agg(k order by k) from jsonb_object_keys(batch_status('$batch') -> 'jobs' -> 0) k")" \
    '{attempts,created_at,error,finished_at,id,kind,max_attempts,progress,progress_note,result,run_at,started_at,status}' \
    'and those of a job'

holder=$(worker 1)
claim=$(claim "$holder" 4)
token=$(token_of "$claim")
IFS=, read -r j1 j2 j3 j4 <<<"$(ids_of "$claim")"
is "$(summary)" 'queued done=false 4 4 0 0 0 0 0.0%' 'claimed is not yet running'
sql "select pgcrew.report($holder, '{$token}', '{$j1}', '{100000}', '{50}', '{half way}')" >/dev/null
is "$(summary)" 'running done=false 4 3 1 0 0 0 12.5%' 'half of one of four is an eighth'
is "$(status 'jobs,0,progress') $(status 'jobs,0,progress_note') $(status 'jobs,0,status')" '50.0 half way running' 'the job says how far it is'
like "$(status eta_seconds)" '^7[0-4][0-9]$' '100 seconds for an eighth: 700 to go'
finish "$holder" "$token" "$j1" succeeded 'results="{\"pages\": 3}"' >/dev/null
is "$(summary)" 'running done=false 4 3 0 1 0 0 25.0%' 'one is done, the rest waits: running'
is "$(status 'jobs,0,result,pages')" 3 'the result is there'
is "$(status finished_at)" '' 'the batch has not ended'
finish "$holder" "$token" "$j2" failed 'errors="no such file"' >/dev/null
is "$(status 'jobs,1,status') $(status 'jobs,1,error') $(status 'jobs,1,attempts')" 'failed no such file 1' 'so is the error'
finish "$holder" "$token" "$j3" cancelled >/dev/null
finish "$holder" "$token" "$j4" succeeded >/dev/null
is "$(summary)" 'failed done=true 4 0 0 2 1 1 100.0%' 'all have ended, one failed'
is "$(status eta_seconds)" '' 'nothing to wait for'
like "$(status finished_at)" '^20' 'there is a time when it ended'

is "$(as "$user" "select jsonb_agg(j -> 'id') = jsonb_build_array($j1, $j2, $j3, $j4) from jsonb_array_elements(batch_status('$batch') -> 'jobs') j")" t \
    'jobs come in the order of their ids'
is "$(status jobs 0) $(status jobs_truncated 0)" '[] true' 'no jobs when none are wanted'
is "$(as "$user" "select jsonb_array_length(batch_status('$batch', 3) -> 'jobs')") $(status jobs_truncated 3)" '3 true' 'as many as wanted'
is "$(status jobs_truncated 4)" false 'all of them'
is "$(as "$user" "select jsonb_array_length(batch_status('$batch', -1) -> 'jobs')")" 0 'less than none is none'
is "$(as "$user2" "select batch_status('$batch') ->> 'total'")" 2 'the other user sees the other two'
is "$(sql "select batch_status('$batch') ->> 'total'")" 6 'the service sees all'
is "$(as_sqlstate "$user" "select 1 from jsonb_to_record(batch_status('$batch')) as x (total int)")" 00000 'it is a jsonb'

# What a batch is called when it has ended.
ended() {
    sql "delete from jobs where true"
    sql "insert into jobs (kind, batch_id, user_id, status, finished_at) select 'a', '$batch', '$user', s, now() from unnest('{$1}'::text[]) s"
    status status
}
is "$(ended succeeded,succeeded)" succeeded 'all succeeded: succeeded'
is "$(ended succeeded,cancelled)" succeeded 'the rest cancelled: still succeeded'
is "$(ended cancelled,cancelled)" cancelled 'all cancelled: cancelled'
is "$(ended cancelled,failed)" failed 'one failed: failed'
sql "insert into jobs (kind, batch_id, user_id) select 'a', '$batch', '$user' from generate_series(1, 1500)"
is "$(as "$user" "select jsonb_array_length(batch_status('$batch', 5000) -> 'jobs')")" 1000 'never more than 1000 jobs'

# The caller pays for its batch, not for the table.
sql "insert into jobs (kind, batch_id, user_id, status, finished_at)
     select 'a', gen_random_uuid(), '$user', 'succeeded', now() from generate_series(1, 20000)"
PGUSER=postgres sql 'vacuum analyze jobs'
like "$(as "$user" "explain select count(*) filter (where status = 'queued') from jobs where batch_id = '$batch'")" 'jobs_batch_idx' \
    'by the index of batch and user'

done_testing
