#!/usr/bin/env bash
# How a job comes in.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

# A plain insert, as any application makes it.
id=$(sql "insert into jobs (kind) values ('a') returning id")
is "$(place "$id")" 'queued ready' 'a plain INSERT is ready at once'
is "$(sql "select queue, priority, attempts, max_attempts, payload from jobs where id = $id")" 'default|0|0|5|{}' 'with the defaults'
sql "insert into jobs (kind, priority, queue) select 'a', i % 10, 'many' from generate_series(1, 1000) i"
is "$(sql "select count(*), count(distinct job_id), count(distinct place >> 44) from pgcrew.ready where queue = 'many'")" '1000|1000|10' \
    'an INSERT of many rows is ready row by row'
# COPY is for the owner: PostgreSQL has none under row level security.
printf 'a\tcopied\na\tcopied\n' | psql -XAtq -U owner -c "copy jobs (kind, queue) from stdin"
is "$(sql "select count(*) from pgcrew.ready where queue = 'copied'")" 2 'COPY is seen, too'
sql "begin; insert into jobs (kind, queue) values ('a', 'undone'); rollback"
is "$(sql "select count(*) from pgcrew.ready where queue = 'undone'")" 0 'what is rolled back leaves nothing'

id=$(sql "insert into jobs (kind, run_at) values ('a', now() + interval '1 hour') returning id")
is "$(place "$id")" 'queued scheduled' 'a job for later is scheduled'
is "$(sql "select s.run_at = j.run_at from jobs j join pgcrew.scheduled s on s.job_id = j.id where j.id = $id")" t 'for that time'
id=$(sql "insert into jobs (kind, run_at) values ('a', now() - interval '1 hour') returning id")
is "$(place "$id")" 'queued ready' 'a job for earlier is ready'
id=$(sql "insert into jobs (kind, status, finished_at) values ('a', 'succeeded', now()) returning id")
is "$(place "$id")" 'succeeded' 'an ended job may be inserted, for the record'
is "$(sqlstate_of "insert into jobs (kind, status) values ('a', 'running')")" 22023 'a running one may not: nobody would hold it'

# Bad input.
while IFS='|' read -r what state values; do
    is "$(sqlstate_of "insert into jobs (kind, queue, priority, max_attempts, status) values ($values)")" "$state" "refused: $what"
done <<'END'
no kind|23502|null, 'q', 0, 5, 'queued'
an empty kind|23514|'', 'q', 0, 5, 'queued'
an empty queue|23514|'a', '', 0, 5, 'queued'
a kind of 101 letters|23514|repeat('x', 101), 'q', 0, 5, 'queued'
priority 10|23514|'a', 'q', 10, 5, 'queued'
a negative priority|23514|'a', 'q', -1, 5, 'queued'
no attempt at all|23514|'a', 'q', 0, 0, 'queued'
an unknown status|23514|'a', 'q', 0, 5, 'done'
END
is "$(sqlstate_of "insert into jobs (kind, payload) values ('a', 'no json')")" 22P02 'refused: a payload that is no JSON'

# Unique keys.
id=$(sql "insert into jobs (kind, unique_key) values ('a', 'k1') returning id")
is "$(sqlstate_of "insert into jobs (kind, unique_key) values ('a', 'k1')")" 23505 'a plain INSERT with a taken key is refused'
like "$(sql "insert into jobs (kind, unique_key) values ('a', 'k1')" 2>&1)" 'another unfinished job has the unique key "k1"' 'and says which'
is "$(sqlstate_of "insert into jobs (kind, unique_key) values ('a', 'k2'), ('a', 'k2')")" 23505 'also within one statement'
is "$(sqlstate_of "insert into jobs (kind, unique_key) values ('a', 'k2'), ('a', 'k3')")" 00000 'several keys go together'
is "$(sql "select pgcrew.enqueue('a', unique_key => 'k1')")" "$id" 'enqueue answers with the job that has the key'
is "$(sql 'select count(*) from jobs where unique_key is not null')" 3 'and makes none'
sql "select pgcrew.cancel_jobs('{$id}')" >/dev/null
id2=$(sql "select pgcrew.enqueue('a', unique_key => 'k1')")
not_ok 'a key is free when its job has ended' test "$id" = "$id2"
is "$(place "$id2")" 'queued ready' 'then there is a new job'
sql "insert into jobs (kind, status, finished_at, unique_key) values ('a', 'failed', now(), 'k4')"
is "$(sqlstate_of "insert into jobs (kind, unique_key) values ('a', 'k4')")" 00000 'an ended job has no key'

# enqueue, with everything.
id=$(sql "select pgcrew.enqueue('mail', '{\"to\": 1}', 'post', 7, now() + interval '1 day', '$(process 5)', '$user', 3, 'm')")
is "$(sql "select kind, payload, queue, priority, batch_id, user_id, max_attempts, unique_key, run_at > now() from jobs where id = $id")" \
    "mail|{\"to\": 1}|post|7|$(process 5)|$user|3|m|t" 'enqueue passes everything on'
is "$(place "$id")" 'queued scheduled' 'and schedules it'
is "$(sqlstate_of "select pgcrew.enqueue('a', priority => 10)")" 23514 'enqueue checks as INSERT does'

# enqueue_jobs: many of one kind, as one batch.
answer=$(sql_as service_role "select enqueue_jobs('b', '[{\"n\":1},{\"n\":2},{\"n\":3}]')" -U postgres)
is "$(sql "select '$answer'::jsonb ->> 'total'")" 3 'enqueue_jobs says how many'
is "$(sql "select string_agg(payload ->> 'n', '' order by r.job_id) from pgcrew.ready r join jobs j on j.id = r.job_id
            where j.batch_id = ('$answer'::jsonb ->> 'batch_id')::uuid")" 123 'and keeps the order'
is "$(sql "select array(select jsonb_array_elements('$answer'::jsonb -> 'job_ids')::bigint)
              = array(select id from jobs where batch_id = ('$answer'::jsonb ->> 'batch_id')::uuid order by id)")" t 'and returns the ids'
for payloads in '{}' '[]' 'null' '"x"'; do
    is "$(sqlstate_of "set role service_role; select enqueue_jobs('b', '$payloads')" -U postgres)" 22023 "enqueue_jobs refuses $payloads"
done
is "$(sqlstate_of "set role service_role; select enqueue_jobs('b', null)" -U postgres)" 22023 'enqueue_jobs refuses null'
is "$(sqlstate_of "set role service_role; select enqueue_jobs('b', (select jsonb_agg(i) from generate_series(1, 1001) i))" -U postgres)" 22023 \
    'enqueue_jobs refuses 1001 at once'

# Jobs that are deleted.
id=$(sql "insert into jobs (kind, queue, unique_key) values ('a', 'going', 'g1'), ('a', 'going', 'g2') returning id" | head -n 1)
sql "insert into jobs (kind, queue, run_at) values ('a', 'going', now() + interval '1 hour')"
is "$(broken)" '' 'everything agrees'
sql "delete from jobs where queue = 'going'"
is "$(place "$id")" '' 'a deleted job leaves nothing'
is "$(broken)" '' 'and everything still agrees'
PGUSER=owner sql 'truncate jobs'
is "$(broken)$(sql 'select count(*) from pgcrew.ready')" 0 'nor does a truncated table'

# Queues have numbers, as many as fit into a place.
is "$(sql "select count(*) = count(distinct number) from pgcrew.queues")" t 'each queue has a number of its own'
numbers=$(sql 'select string_agg(queue || number, $$,$$ order by number) from pgcrew.queues')
sql "insert into jobs (kind, queue) select 'a', q from unnest('{many,copied,default}'::text[]) q"
is "$(sql 'select string_agg(queue || number, $$,$$ order by number) from pgcrew.queues')" "$numbers" 'which it keeps'
PGUSER=owner sql 'alter table pgcrew.queues alter number restart with 32767'
is "$(sqlstate_of "insert into jobs (kind, queue) values ('a', 'the last')")" 00000 'there can be 32767 of them'
is "$(sqlstate_of "insert into jobs (kind, queue) values ('a', 'one more')")" 54000 'and no more'
is "$(sql "select place > 0, (place >> 48) from pgcrew.ready where queue = 'the last'")" 't|32767' 'the last has places, too'

done_testing
