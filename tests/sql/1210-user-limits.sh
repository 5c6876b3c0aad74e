#!/usr/bin/env bash
# The limits of what a browser may put in.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start

PGUSER=owner sql "insert into pgcrew.kinds (kind, queue, priority, max_attempts, max_payload_bytes, max_unfinished_per_user, max_delay)
                  values ('photo', 'pictures', 3, 2, 100, 10, '1 day')"
PGUSER=owner sql "insert into pgcrew.kinds (kind, user_enqueue) values ('closed', false)"

as "$user" "insert into jobs (kind) values ('photo')"
is "$(sql 'select user_id, queue, priority, max_attempts from jobs')" "$user|pictures|3|2" 'queue, priority and attempts are those of the kind'
is "$(as_sqlstate "$user" "insert into jobs (kind) values ('closed')")" 42501 'a kind that is closed to users is refused'
is "$(as_sqlstate "$user" "insert into jobs (kind) values ('unheard')")" 42501 'a kind that is not in the list is refused'
is "$(as_sqlstate "$user" "insert into jobs (kind, payload) values ('photo', to_jsonb(repeat('x', 98)))")" 00000 'a payload of 100 bytes is let in'
is "$(as_sqlstate "$user" "insert into jobs (kind, payload) values ('photo', to_jsonb(repeat('x', 99)))")" PT413 'one of 101 is too large'
like "$(as "$user" "insert into jobs (kind, payload) values ('photo', to_jsonb(repeat('x', 99)))" 2>&1)" '101 bytes, at most 100' 'and it is said how large'
is "$(as_sqlstate "$user" "insert into jobs (kind, run_at) values ('photo', now() + interval '25 hours')")" 22023 'a day ahead is the limit'
is "$(as_sqlstate "$user" "insert into jobs (kind, run_at) values ('photo', now() + interval '23 hours')")" 00000 'less is fine'
is "$(as_sqlstate "$user" "insert into jobs (kind, payload, run_at) values ('photo', null, null)")" 00000 \
    'null for what was left out (a bulk insert of uneven objects) means the default'
is "$(as "$user" "select count(*) from jobs where payload = '{}' and run_at <= now()")" 2 'and gets it'

# Unfinished jobs: those ready, scheduled and claimed count.
is "$(as "$user" 'select count(*) from jobs')" 4 'four so far'
is "$(as_sqlstate "$user" "select enqueue_jobs('photo', '[1,2,3,4,5,6,7]')")" PT429 'seven more of ten are too many'
is "$(as "$user" 'select count(*) from jobs')" 4 'then none of them is let in'
is "$(as_sqlstate "$user" "select enqueue_jobs('photo', '[1,2,3,4,5,6]')")" 00000 'six fill it'
is "$(as_sqlstate "$user" "insert into jobs (kind) values ('photo')")" PT429 'then not one more'
is "$(as_sqlstate "$user2" "insert into jobs (kind) values ('photo')")" 00000 'which is nothing to the other user'
is "$(sql "select distinct place from (select 'ready' as place from pgcrew.ready where user_id = '$user'
           union all select 'scheduled' from pgcrew.scheduled where user_id = '$user') x order by 1" | xargs)" 'ready scheduled' \
    'they are ready and scheduled'
holder=$(worker 1 30000 pictures)
claim=$(claim "$holder" 100 pictures)
is "$(as_sqlstate "$user" "insert into jobs (kind) values ('photo')")" PT429 'claimed ones still count'
ids=$(ids_of "$claim")
finish "$holder" "$(token_of "$claim")" "$ids" "$(sed 's/[0-9]\+/succeeded/g' <<<"$ids")" >/dev/null
is "$(as_sqlstate "$user" "insert into jobs (kind) values ('photo')")" 00000 'finished ones do not'
sql "insert into jobs (kind, queue, user_id) select 'photo', 'service', '$user' from generate_series(1, 20)"
is "$(sql "select count(*) from jobs where queue = 'service'")" 20 'the service has no limits'
is "$(as_sqlstate "$user" "insert into jobs (kind) values ('photo')")" PT429 'but what it enqueues for a user counts'

# Eight tabs at once do not get in more than one would.
sql "delete from jobs where true"
for tab in 1 2 3 4 5 6 7 8; do
    for _ in 1 2 3 4; do
        as "$user" "insert into jobs (kind) values ('photo')" >/dev/null 2>"$pg_dir/tab.$tab"
    done &
done
wait
is "$(sql 'select count(*) from jobs')" 10 'eight browsers that insert at once fill the limit exactly'

# A role of the application's own is a user, too, if it gets to the table at all.
PGUSER=postgres sql "create role clerk login; grant insert on jobs to clerk;
                     create policy clerk_insert on jobs for insert to clerk with check (true);
                     grant usage on schema auth to clerk"
is "$(sqlstate_of "insert into jobs (kind) values ('unheard')" -U clerk)" 42501 'a role with a policy of its own has the limits'
is "$(broken)" '' 'everything agrees'

done_testing
