#!/usr/bin/env bash
# A job's life in the real daemon: every way an attempt can end.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup

handlers "  json: {exec: [/bin/echo, '{\"n\": 1}']}
  text: {exec: [/bin/sh, -c, 'printf \"plain %s\" \"\$PGCREW_JOB_KIND\"']}
  echo: {exec: [/bin/cat]}
  fails: {exec: [/bin/sh, -c, 'echo out of cheese >&2; exit 3'], retry_first: 10ms, retry_max: 10ms}
  never: {exec: [/bin/sh, -c, 'echo bad data >&2; exit 65']}
  dies: {exec: [/bin/sh, -c, 'kill -SEGV \$\$'], retry_first: 10ms, retry_max: 10ms}
  later: {exec: [/bin/sh, -c, 'exit 75'], retry_first: 10ms, retry_max: 10ms, tempfail_max: 3}
  slow: {exec: [/bin/sh, -c, 'trap \"\" TERM; sleep 60'], timeout: 300ms, retry_first: 10ms, retry_max: 10ms}
  progress: {exec: [/bin/sh, -c, 'echo 42 resizing >&3; sleep 1; echo 99 nearly >&3; exec sleep 1']}"
start_daemon worker.count=2 worker.kill_grace=200ms queue.poll_interval=500ms

id=$(enqueue json)
ok   'a job succeeds'                          wait_for 10 job_is "$id" succeeded
is "$(job "$id" "result ->> 'n'")" 1          'its JSON result is kept as it is'
is "$(job "$id" attempts)" 1                  'it took one attempt'
is "$(job "$id" 'progress')" 100              'it is complete'
is "$(job "$id" 'started_at <= finished_at and created_at <= finished_at')" t 'its times are in order'

id=$(enqueue text)
ok   'a job with a text result succeeds'       wait_for 10 job_is "$id" succeeded
is "$(job "$id" result)" '"plain text"'       'the text is kept as a string'

id=$(enqueue echo '{"a": "ü \" ; drop table jobs; --"}')
ok   'a job reads its payload'                 wait_for 10 job_is "$id" succeeded
is "$(job "$id" 'result = payload')" t        'the payload came over stdin unharmed'

id=$(enqueue fails)
ok   'a job that fails every time is failed'   wait_for 20 job_is "$id" failed
is "$(job "$id" attempts)" 5                  'after five attempts'
is "$(sql "select count(*) from pgcrew.attempts where job_id = $id and exit_code = 3 and cause = 'failed'")" 5 \
    'every attempt is on record with its exit status'
like "$(job "$id" error)" 'status 3'          'the error names the exit status'
like "$(sql "select stderr_tail from pgcrew.attempts where job_id = $id limit 1")" 'out of cheese' 'the end of stderr is kept'
ok   'stderr is in the log with the job'       logged "job $id \(fails\): out of cheese"

id=$(enqueue never)
ok   'exit 65 fails at once'                   wait_for 10 job_is "$id" failed
is "$(job "$id" attempts)" 1                  'and is not tried again'

id=$(enqueue dies)
ok   'a handler killed by a signal is failed'  wait_for 20 job_is "$id" failed
like "$(job "$id" error)" 'signal 11'         'the signal is named'

id=$(enqueue later)
ok   'exit 75 comes to an end too'             wait_for 20 job_is "$id" failed
is "$(sql "select count(*) from pgcrew.attempts where job_id = $id")" 8 'three not charged, five charged'

id=$(enqueue slow)
ok   'a handler that hangs is failed'          wait_for 30 job_is "$id" failed
like "$(job "$id" error)" 'timeout'           'because of its timeout'
is "$(sql "select distinct cause from pgcrew.attempts where job_id = $id")" timeout 'the attempts say so'

id=$(enqueue progress)
ok   'a job that takes longer is seen running' wait_for 10 job_is "$id" running
progress_is() { [ "$(job "$id" "progress || ' ' || progress_note")" = "$1" ]; }
ok   'its progress and note are seen'          wait_for 5 progress_is '42 resizing'
ok   'as they change'                          wait_for 5 progress_is '99 nearly'
ok   'and it succeeds'                         wait_for 10 job_is "$id" succeeded

ok   'nothing is left in the tables of the protocol' nothing_left
ok   'the daemon ends when told to'            stop_daemon
is "$daemon_status" 0                         'with status 0'
is "$(sql 'select count(*) from pgcrew.workers')" 0 'no lease is left behind'
done_testing
