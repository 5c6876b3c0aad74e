#!/usr/bin/env bash
# job list, show, retry, cancel, log and batch new, show, cancel, retry, without a daemon:
# the worker's part is played by hand.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/queue.sh"
. "$(dirname "$0")/../lib/tool.sh"
queue_start

tool batch new
batch=$out
like "$batch" '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' 'a batch has a UUID'
tool batch show "$batch"
status_is 1 'a batch without jobs is not there'
printf '1\n2\n3\n4\n' >"$pg_dir/lines"
tool --json enqueue mail --jsonl "$pg_dir/lines" --batch "$batch" --user "$user"
mapfile -t ids < <(field '.ids[]')
tool enqueue other '{"secret": true}'
other=$out

holder=$(worker 1)
got=$(claim "$holder" 3)
finish "$holder" "$(token_of "$got")" "${ids[0]},${ids[1]}" succeeded,failed \
    'causes=null,failed' 'exits=null,3' 'errors=null,"bad \x1b[31m input"' 'stderrs=null,"line one
line \x1b[2J two"' >/dev/null

tool job list --batch "$batch" --json
is "$(field '[.jobs[].status] | join(" ")')" 'queued queued failed succeeded' 'the newest first'
tool job list --status failed --json
is "$(field '[.jobs[].id] | join(" ")')" "${ids[1]}"    'by status'
tool job list --kind other --json
is "$(field '[.jobs[].id] | join(" ")')" "$other"       'by kind'
tool job list --user "$user" --limit 2 --json
is "$(field '.jobs | length')" 2                        'by user, not more than asked for'
tool job list --queue nope
status_is 1 'nothing found is status 1'
tool job list
like "$out" "^ *${ids[1]}  mail +default +failed"       'a table for people'
not_ok 'escape sequences of an error do not reach the terminal' grep -q $'\x1b' <<<"$out"
is "$(awk 'NR > 1 { print index($0, "mail") + index($0, "other") }' <<<"$out" | sort -u | wc -l)" 1 'its columns line up'

tool job show "$other" --json
is "$(field .payload.secret)" true                      'show has the payload'
tool job show "${ids[2]}" --json
is "$(field '.host, .slot' | paste -sd ' ')" 'host 1'   'and who has claimed it'
tool job show 999999
status_is 1 'an unknown job'
tool job log "${ids[1]}"
like "$out" 'exit status 3'                             'the log has the exit status'
like "$out" '^  \| line .*two'                          'and the end of stderr'
not_ok 'without escape sequences' grep -q $'\x1b' <<<"$out"
tool job log "${ids[1]}" --json
is "$(field '.attempts[0].cause, .attempts[0].exit_code' | paste -sd ' ')" 'failed 3' 'in JSON, too'

tool job cancel "${ids[2]}" "${ids[3]}" --json
status_is 0 'cancel what waits and what is claimed'
is "$(field '[.jobs[].what] | join(" ")')" 'asked cancelled' 'one is asked, one is cancelled'
tool job cancel "${ids[0]}" 999999
status_is 1 'what has ended or is unknown cannot be'
tool job retry "${ids[1]}" "${ids[3]}"
status_is 0 'failed and cancelled jobs are queued again'
is "$(place "${ids[1]}")" 'queued ready'                'as if new'
tool job retry "${ids[0]}"
status_is 1 'one that succeeded is not'

tool batch show "$batch" --json
is "$(field '.total, .queued, .succeeded' | paste -sd ' ')" '4 3 1' 'batch show counts'
is "$(field '.jobs | length')" 4                        'and has the jobs'
tool batch show "$batch" --jobs 1
like "$out" 'and 3 more'                                'as many as asked for'
PGUSER=postgres tool batch show "$batch" --as "$user" --json
is "$(field .total)" 4                                  'their user sees them'
PGUSER=postgres tool batch show "$batch" --as "$user2"
status_is 1 'another does not'
tool batch show "$batch" --as "$user"
status_is 1 'the login of the workers cannot act for users'
like "$errors" 'cannot act for users'                   'and it is said so'

tool batch cancel "$batch" --json
is "$(field '.cancelled, .asked' | paste -sd ' ')" '2 1' 'batch cancel'
tool batch retry "$batch" --json
is "$(field '.queued, .total' | paste -sd ' ')" '2 4'   'batch retry'
tool batch cancel "$user2"
status_is 1 'a batch that is not there'

big=55555555-5555-5555-5555-555555555555
seq 20000 >"$pg_dir/lines"
tool enqueue mail --jsonl "$pg_dir/lines" --batch "$big"
tool batch cancel "$big" --json
is "$(field .cancelled)" 20000                          'a big batch is cancelled'
out=$(PGOPTIONS='-c statement_timeout=30s' "$build/pgcrew" batch retry "$big" --json)
is "$(field .queued)" 20000                             'and queued again, in seconds'
is "$(broken)" ''                                       'the tables agree with each other'
done_testing
