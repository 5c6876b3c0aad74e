#!/usr/bin/env bash
# Scheduled jobs, cancelled jobs, users' batches.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
daemon_setup
handlers "  quick: {exec: [/bin/true]}
  slow: {exec: [/bin/sh, -c, 'trap \"exit 1\" TERM; sleep 60 & wait'], timeout: 1min}"
start_daemon worker.count=2 queue.poll_interval=500ms

id=$(sql "select pgcrew.enqueue('quick', run_at => now() + interval '1500 ms')")
is "$(job "$id" status)" queued                   'a job for later waits'
ok 'it runs when it is due'                        wait_for 10 job_is "$id" succeeded
is "$(job "$id" 'started_at >= run_at')" t        'not before'
is "$(job "$id" "started_at < run_at + interval '1 second'")" t 'and not much later'

id=$(enqueue slow)
wait_for 10 job_is "$id" running
is "$(sql "select what from pgcrew.cancel_jobs(array[$id])")" asked 'a running job is asked to end'
ok 'it ends as cancelled, soon'                    wait_for 3 job_is "$id" cancelled
is "$(sql "select cause from pgcrew.attempts where job_id = $id")" cancelled 'its attempt says so'

user=11111111-1111-4111-8111-111111111111
sql "insert into pgcrew.kinds (kind, user_enqueue) values ('quick', true), ('slow', true)"
batch=$(psql -XAtq -c 'set role authenticated' \
    -c "select set_config('request.jwt.claims', '{\"sub\": \"$user\", \"role\": \"authenticated\"}', false) is null" \
    -c "select public.enqueue_jobs('quick', '[{}, {}, {}]') ->> 'batch_id'" | tail -n 1)
batch_done() { [ "$(sql "select count(*) from public.jobs where batch_id = '$batch' and status = 'succeeded'")" = 3 ]; }
ok "a user's batch is worked off"                  wait_for 10 batch_done
status() {
    psql -XAtq -c 'set role authenticated' \
        -c "select set_config('request.jwt.claims', '{\"sub\": \"$1\", \"role\": \"authenticated\"}', false) is null" \
        -c "select public.batch_status('$batch') ->> '$2'" 2>&1 | grep -v '^[tf]$' | head -n 1
}
is "$(status $user percent)" 100.0                'its owner sees it complete'
like "$(status 22222222-2222-4222-8222-222222222222 percent)" 'Job not found' 'another user does not see it'
stop_daemon
done_testing
