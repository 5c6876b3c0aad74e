#!/usr/bin/env bash
# pgcrew why: each reason, brought about by playing the worker by hand.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/queue.sh"
. "$(dirname "$0")/../lib/tool.sh"
queue_start

put() { sql "select pgcrew.enqueue($1)"; }
reason_is() {
    local expected=$1 id=$2 what=$3
    tool why "$id" --json
    is "$(field .reason)" "$expected" "$what"
}

id=$(put "'mail'")
reason_is no_worker "$id" 'no worker is alive'
like "$(field .advice)" 'start'                         'it is said what to do'
holder=$(worker 1 30000 other)
reason_is no_queue "$id" 'no worker serves the queue'
like "$(field .text)" "'default'"                       'the queue is named'
holder=$(worker 2 30000 default thumb)
reason_is no_handler "$id" 'no worker has a handler for the kind'
like "$(field .text)" "'mail'"                          'the kind is named'
holder=$(worker 3 30000 default)
ahead=$(put "'mail', priority => 5")
reason_is busy "$id" 'all workers are busy'
like "$(field .text)" '1 jobs are ahead'                'with the number of jobs ahead'
claimed=$(claim "$holder" 1)
is "$(ids_of "$claimed")" "$ahead"                      '(the one ahead is claimed)'
reason_is claimed "$ahead" 'a worker has claimed it'
is "$(field '.host, .slot' | paste -sd ' ')" 'host 3'   'its host and worker are named'
sql "select pgcrew.report($holder, '{$(token_of "$claimed")}', '{$ahead}', '{500}', '{null}', '{null}')" >/dev/null
reason_is running "$ahead" 'it is running'
sql "select pgcrew.cancel_jobs('{$ahead}')" >/dev/null
reason_is cancel_asked "$ahead" 'its cancellation was asked for'
finish "$holder" "$(token_of "$claimed")" "$ahead" cancelled >/dev/null
reason_is cancelled "$ahead" 'it was cancelled'

claimed=$(claim "$holder" 1)
finish "$holder" "$(token_of "$claimed")" "$id" retry waits_ms=60000 causes=failed 'errors="no \x07 mail server"' >/dev/null
reason_is retry_wait "$id" 'it waits for the next attempt'
like "$(field .text)" 'no .* mail server'               'the last error is shown'
tool why "$id"
not_ok 'without control characters' grep -q $'\x07' <<<"$out"
later=$(put "'mail', run_at => now() + interval '1 hour'")
reason_is scheduled "$later" 'it is scheduled'
claim "$holder" 1 >/dev/null
next=$(put "'mail'")
reason_is next "$next" 'a worker is free'
claimed=$(claim "$holder" 1)
finish "$holder" "$(token_of "$claimed")" "$next" failed causes=permanent 'errors="bad data"' >/dev/null
reason_is failed "$next" 'it has failed'
like "$(field .text)" 'bad data'                        'and why'
due=$(put "'mail'")
claimed=$(claim "$holder" 1)
finish "$holder" "$(token_of "$claimed")" "$due" again waits_ms=100 causes=tempfail >/dev/null
is_due() { [ "$(sql "select run_at < clock_timestamp() from pgcrew.scheduled where job_id = $due")" = t ]; }
wait_for 5 is_due
reason_is due "$due" 'its time has come'

sick=$(put "'mail'")
for i in 4 5 6; do
    holder=$(worker $i)
    claimed=$(claim "$holder" 1)
    sql "select pgcrew.reap_process('$(process $i)', '{$sick}')" >/dev/null
done
reason_is quarantined "$sick" 'workers died of it'
lost=$(put "'mail'")
holder=$(worker 7)
claim "$holder" 1 >/dev/null
PGUSER=postgres sql "update pgcrew.workers set seen_at = seen_at - interval '1 hour' where holder = $holder"
reason_is holder_lost "$lost" 'its worker does not report'
astray=$(put "'mail'")
PGUSER=postgres sql "delete from pgcrew.ready where job_id = $astray"
reason_is astray "$astray" 'somebody deleted its row by hand'
tool job cancel "$astray"
tool job retry "$astray"
status_is 0 'the advice helps'
is "$(place "$astray")" 'queued ready'                  'it is queued and ready again'
reason_is unknown 999999 'there is no such job'
status_is 1 'which is status 1'
done_testing
