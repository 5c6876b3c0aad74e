#!/usr/bin/env bash
# The whole matrix: every role against every schema, table, sequence, column and function,
# with the default privileges of plain PostgreSQL (functions are everybody's) and of Supabase
# projects, old (all is everybody's) and new.  A new object has to have its line here.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"
. "$repo/tests/lib/supabase.sh"

# matrix SUPERUSER: what is so
matrix() {
    PGUSER=$1 sql 'create role login login'
    PGUSER=$1 psql -XAtq -v ON_ERROR_STOP=1 -f "$repo/tests/lib/privileges.sql"
}

# compare WHERE MATRIX: each line by itself, both ways
compare() {
    local line
    while read -r line; do
        is "$(grep -F -- "${line%%: *}: " <<<"$2")" "$line" "$1: $line"
    done <<<"$expected"
    is "$(cut -d : -f 1 <<<"$2" | grep -vxFf <(cut -d : -f 1 <<<"$expected"))" '' "$1: nothing is there that is not in the matrix"
}

expected=$(cat <<'END'
schema pgcrew: pgcrew_worker usage, service_role usage
sequence pgcrew.attempts_id_seq: nobody
sequence pgcrew.claims_token_seq: nobody
sequence pgcrew.queues_number_seq: nobody
sequence pgcrew.workers_holder_seq: nobody
sequence public.jobs_id_seq: nobody
table pgcrew.attempts: pgcrew_worker select, service_role select
table pgcrew.cancels: pgcrew_worker select, service_role select
table pgcrew.claims: pgcrew_worker select, service_role select
table pgcrew.kinds: pgcrew_worker select, service_role delete+insert+select+update
table pgcrew.migrations: pgcrew_worker select, service_role select
table pgcrew.queues: pgcrew_worker select, service_role select
table pgcrew.ready: pgcrew_worker select, service_role select
table pgcrew.scheduled: pgcrew_worker select, service_role select
table pgcrew.schedules: pgcrew_worker select, service_role select
table pgcrew.unique_keys: pgcrew_worker select, service_role select
table pgcrew.user_claims: pgcrew_worker select, service_role select
table pgcrew.workers: pgcrew_worker select, service_role select
table public.jobs: authenticated select, pgcrew_worker delete+insert+select, service_role delete+insert+select
table public.jobs.batch_id: authenticated insert
table public.jobs.error: pgcrew_worker update, service_role update
table public.jobs.kind: authenticated insert
table public.jobs.payload: authenticated insert, pgcrew_worker update, service_role update
table public.jobs.progress: pgcrew_worker update, service_role update
table public.jobs.progress_note: pgcrew_worker update, service_role update
table public.jobs.result: pgcrew_worker update, service_role update
table public.jobs.run_at: authenticated insert
function pgcrew.as_json/1: nobody
function pgcrew.cancel_batch_jobs/1: pgcrew_worker execute, service_role execute
function pgcrew.cancel_jobs/1: pgcrew_worker execute, service_role execute
function pgcrew.claim/7: pgcrew_worker execute, service_role execute
function pgcrew.cron_day/5: nobody
function pgcrew.cron_field/5: nobody
function pgcrew.cron_moment/2: nobody
function pgcrew.cron_next/3: pgcrew_worker execute, service_role execute
function pgcrew.cron_number/3: nobody
function pgcrew.cron_parse/1: nobody
function pgcrew.cron_wrong/1: nobody
function pgcrew.drop_ended/1: nobody
function pgcrew.due_times/2: nobody
function pgcrew.end_cancelled/1: nobody
function pgcrew.enqueue/9: pgcrew_worker execute, service_role execute
function pgcrew.finish/15: pgcrew_worker execute, service_role execute
function pgcrew.finish_others/13: nobody
function pgcrew.health/1: pgcrew_worker execute, service_role execute
function pgcrew.heartbeat/1: pgcrew_worker execute, service_role execute
function pgcrew.jobs_enter/0: nobody
function pgcrew.jobs_leave/0: nobody
function pgcrew.jobs_truncated/0: nobody
function pgcrew.jobs_user_limit/0: nobody
function pgcrew.jobs_user_row/0: nobody
function pgcrew.lock_claims/1: nobody
function pgcrew.lock_schedule/1: nobody
function pgcrew.next_time/2: nobody
function pgcrew.pause_queue/2: pgcrew_worker execute, service_role execute
function pgcrew.pause_schedule/2: pgcrew_worker execute, service_role execute
function pgcrew.place/3: pgcrew_worker execute, service_role execute
function pgcrew.promote/1: pgcrew_worker execute, service_role execute
function pgcrew.put_back/5: nobody
function pgcrew.put_schedule/11: pgcrew_worker execute, service_role execute
function pgcrew.queue_number/1: nobody
function pgcrew.reap_expired/1: pgcrew_worker execute, service_role execute
function pgcrew.reap_process/3: pgcrew_worker execute, service_role execute
function pgcrew.register_worker/9: pgcrew_worker execute, service_role execute
function pgcrew.release_unknown/2: pgcrew_worker execute, service_role execute
function pgcrew.remove_schedule/1: pgcrew_worker execute, service_role execute
function pgcrew.report/6: pgcrew_worker execute, service_role execute
function pgcrew.resume_queue/1: pgcrew_worker execute, service_role execute
function pgcrew.resume_schedule/1: pgcrew_worker execute, service_role execute
function pgcrew.retry_batch/1: pgcrew_worker execute, service_role execute
function pgcrew.retry_jobs/1: pgcrew_worker execute, service_role execute
function pgcrew.run_due/2: nobody
function pgcrew.run_schedule/1: pgcrew_worker execute, service_role execute
function pgcrew.run_schedules/1: pgcrew_worker execute, service_role execute
function pgcrew.run_sql/8: pgcrew_worker execute, service_role execute
function pgcrew.schedule_job/2: nobody
function pgcrew.stalled/1: pgcrew_worker execute, service_role execute
function pgcrew.survey/1: pgcrew_worker execute, service_role execute
function pgcrew.timezone_name/1: pgcrew_worker execute, service_role execute
function pgcrew.undo_claims/5: nobody
function pgcrew.unregister_worker/1: pgcrew_worker execute, service_role execute
function pgcrew.waits_for/1: pgcrew_worker execute, service_role execute
function pgcrew.wake/0: nobody
function pgcrew.wake_at/1: nobody
function public.batch_status/2: authenticated execute, pgcrew_worker execute, service_role execute
function public.cancel_batch/1: authenticated execute
function public.enqueue_jobs/3: authenticated execute, service_role execute
END
)

queue_start
compare plain "$(matrix postgres)"
pg_cleanup

for age in old new; do
    supabase_start $age
    migrate || bail 'cannot migrate'
    compare "Supabase, $age" "$(matrix supabase_admin)"
    is "$(sqlstate_of "select setval('public.jobs_id_seq', 17592186044415)" -c 'set role anon')" 42501 \
        "Supabase, $age: nobody can use up the ids"
    sql "insert into pgcrew.kinds (kind) values ('photo')"
    is "$(PGUSER=supabase_admin psql -XAtq -v ON_ERROR_STOP=1 \
            -c "select set_config('request.jwt.claims', '{\"sub\":\"$user\"}', false)" -c 'set role authenticated' \
            -c "insert into public.jobs (kind) values ('photo')" -c 'select count(*) from public.jobs' | tail -n 1)" 1 \
        "Supabase, $age: a user enqueues without a right on the sequence"
    pg_cleanup
done

done_testing
