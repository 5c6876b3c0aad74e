#!/usr/bin/env bash
# Who may do what: every role, what it is let do and how it is refused.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

export PGUSER=postgres
sql "insert into pgcrew.kinds (kind) values ('photo')"
sql 'create role gateway_login login noinherit in role pgcrew_gateway'
sql 'create role app_login login in role pgcrew_worker'
sql 'create role outsider'

# may ROLE CLAIMS QUERY WANT WHAT; WANT 00000: it is let, else the SQLSTATE of the refusal.
may() {
    is "$(sqlstate_of "begin; $3; rollback" -c "select set_config('request.jwt.claims', '$2', false)" -c "set role $1")" \
        "$4" "$1: $5"
}

one="{\"sub\":\"$user\",\"role\":\"authenticated\"}"
batch=99999999-9999-9999-9999-999999999999
as "$user" "insert into jobs (kind, batch_id) values ('photo', '$batch'), ('photo', '$batch')"
as "$user2" "insert into jobs (kind, batch_id) values ('photo', '$batch')"
sql "insert into jobs (kind) values ('nobodys')"
worker 1 >/dev/null

private='pgcrew.queues pgcrew.ready pgcrew.scheduled pgcrew.claims pgcrew.workers pgcrew.attempts pgcrew.cancels
         pgcrew.unique_keys pgcrew.kinds pgcrew.migrations'

for role in anon pgcrew_gateway outsider; do
    for table in public.jobs $private; do
        may $role '' "select from $table" 42501 "may not read $table"
    done
    may $role '' "insert into jobs (kind) values ('photo')" 42501 'may not enqueue'
    may $role '' "select enqueue_jobs('photo', '[{}]')" 42501 'may not call enqueue_jobs'
    may $role '' "select batch_status('$batch')" 42501 'may not call batch_status'
    may $role '' "select cancel_batch('$batch')" 42501 'may not call cancel_batch'
    may $role '' 'truncate jobs' 42501 'may not truncate'
done

# A signed-in user.
a() { may authenticated "$one" "$@"; }
a 'select * from jobs' 00000 'may read jobs'
is "$(as "$user" 'select count(*) from jobs')" 2 'authenticated: sees its own jobs only'
is "$(as "$user2" 'select count(*) from jobs')" 1 'authenticated: and the other user his'
is "$(as "$user" "select count(*) from jobs where batch_id = '$batch'")" 2 'authenticated: in a shared batch, too'
a "insert into jobs (kind) values ('photo')" 00000 'may enqueue an allowed kind'
a "insert into jobs (kind) values ('nobodys')" 42501 'may not enqueue another kind'
while IFS='|' read -r column value; do
    a "insert into jobs (kind, $column) values ('photo', $value)" 42501 "may not insert $column"
done <<END
status|'queued'
priority|9
queue|'fast'
user_id|'$user2'
attempts|-100
max_attempts|99
unique_key|'k'
progress|100
result|'{}'
error|''
created_at|now()
started_at|now()
END
a "insert into jobs (kind, id) values ('photo', 7)" 428C9 'may not choose the id'
a "update jobs set status = 'succeeded' where true" 42501 'may not change the status'
a "update jobs set payload = '{}' where true" 42501 'may not change the payload'
a 'delete from jobs where true' 42501 'may not delete'
a 'truncate jobs' 42501 'may not truncate'
a 'lock table jobs in share mode' 42501 'may not lock the table'
for table in $private; do
    a "select from $table" 42501 "may not read $table"
done
for call in 'claim(1, null, null, null, 1)' "reap_process('$(process 1)', null)" "enqueue('photo')" \
    'cancel_jobs(null)' 'retry_jobs(null)' 'wake()' 'reap_expired()' 'stalled(null)' 'health()' \
    'finish(1, 1, null, null, null, null, null, null, null, null, null, null)'; do
    a "select pgcrew.$call" 42501 "may not call pgcrew.${call%%(*}"
done
a "select batch_status('$batch')" 00000 'may ask for its batch'
a "select batch_status('$(process 9)')" PT404 'a batch that is not there is not found'
may authenticated '{"sub":"33333333-3333-3333-3333-333333333333"}' "select batch_status('$batch')" PT404 \
    "somebody else's batch is not found either"
may authenticated '' "insert into jobs (kind) values ('photo')" 42501 'without a token may not enqueue'
may authenticated '' "select cancel_batch('$batch')" 42501 'without a token may not cancel'
is "$(sql_as authenticated 'select count(*) from jobs')" 0 'authenticated: without a token sees nothing'

# The gateway becomes a user for one transaction, and nothing more.
is "$(sql "begin; select set_config('role', 'authenticated', true), set_config('request.jwt.claims', '$one', true);
           select batch_status('$batch', 0)->>'total'; commit" -U gateway_login | tail -n 1)" 2 'gateway: answers as the user'
is "$(sqlstate_of 'set role service_role' -U gateway_login)" 42501 'gateway: may not become the service'
is "$(sqlstate_of 'set role pgcrew_worker' -U gateway_login)" 42501 'gateway: may not become the worker'
is "$(sqlstate_of 'select from jobs' -U gateway_login)" 42501 'gateway: may nothing as itself'

# The worker and the service.  Here service_role is subject to row level security, as
# where a plain owner made it.
is "$(sql "select rolbypassrls from pg_roles where rolname = 'service_role'")" f 'service_role is let by policies only'
for role in pgcrew_worker service_role; do
    is "$(sql_as $role 'select count(*) from jobs')" 4 "$role: sees every job"
    is "$(sql_as $role 'select count(*) from pgcrew.ready')" 4 "$role: sees what is ready"
    is "$(sql_as $role 'select count(*) from pgcrew.workers')" 1 "$role: sees the workers"
    for table in $private; do
        may $role '' "select from $table" 00000 "may read $table"
        [ "$table" = pgcrew.kinds ] || may $role '' "delete from $table where false" 42501 "may not write to $table"
    done
    may $role '' "insert into jobs (kind, queue, priority, user_id) values ('any', 'q', 9, '$user')" 00000 'may enqueue anything'
    may $role '' "update jobs set status = 'succeeded' where false" 42501 'moves the status by functions only'
    may $role '' 'update jobs set attempts = 0 where false' 42501 'moves attempts by functions only'
    may $role '' 'delete from jobs where true' 00000 'may delete jobs'
    may $role '' "select pgcrew.enqueue('any')" 00000 'may call enqueue'
    may $role '' "select pgcrew.claim(1, '{}', '{}', null, 1)" 00000 'may claim'
    may $role '' 'select pgcrew.stalled(null), pgcrew.health()' 00000 'may look for stalls and at the health'
    may $role '' 'select pgcrew.put_back(null, null, null, null, null)' 42501 'may not call the helpers'
    may $role '' "select batch_status('$batch')" 00000 'may ask for any batch'
done
may service_role '' "insert into pgcrew.kinds (kind) values ('x')" 00000 'may say what users may enqueue'
may pgcrew_worker '' "insert into pgcrew.kinds (kind) values ('x')" 42501 'may not say what users may enqueue'
may pgcrew_worker '' 'truncate jobs' 42501 'may not truncate'
is "$(sql 'select count(*) from jobs' -U app_login)" 4 'a login that is a member of pgcrew_worker sees the jobs'

done_testing
