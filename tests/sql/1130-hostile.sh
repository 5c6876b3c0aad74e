#!/usr/bin/env bash
# What a user tries with the batches, keys and claims of others, and with odd text: it is
# kept as it is, or refused clearly.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start
export PGUSER=postgres
sql "insert into pgcrew.kinds (kind, keep_claims) values ('photo', true)"

# --- other users' jobs ------------------------------------------------------------------

batch=$(process 5)
as "$user" "insert into jobs (kind, batch_id) values ('photo', '$batch')"
as "$user2" "insert into jobs (kind, batch_id) values ('photo', '$batch')"
is "$(as "$user2" "select batch_status('$batch') ->> 'total'")" 1  'who uses the batch id of another sees his own job only'
is "$(as "$user2" "select jsonb_array_length(batch_status('$batch') -> 'jobs')")" 1 'also in the list'
is "$(as "$user2" "select cancel_batch('$batch')")" 1              'and cancels his own only'
is "$(sql 'select status from jobs order by id' | xargs)" 'queued cancelled' 'the other is left alone'
is "$(as "$user2" "select cancel_batch('$(process 6)')")" 0        'a batch that is not there is cancelled like one of others'
as "$user" "insert into jobs (kind, batch_id) values ('photo', '$(process 7)')"
is "$(as "$user2" "select cancel_batch('$(process 7)')")" 0        'which says as little'
is "$(as_sqlstate "$user2" "select batch_status('$(process 6)')") $(as_sqlstate "$user2" "select batch_status('$(process 7)')")" 'PT404 PT404' \
    'nor does the answer for a batch of others differ from that for none'

# A key is unique over all users, so they cannot have one: a conflict would tell.
sql "select pgcrew.enqueue('photo', unique_key => 'secret', user_id => '$user')" >/dev/null
is "$(as_sqlstate "$user2" "insert into jobs (kind, unique_key) values ('photo', 'secret')")" 42501 'a user cannot try a key'
is "$(as_sqlstate "$user2" "insert into jobs (kind, unique_key) values ('photo', 'other')")" 42501  'whether or not there is one'
is "$(as_sqlstate "$user2" "insert into jobs (kind) values ('photo') on conflict (id) do update set payload = '{}'")" 42501 \
    'nor get at a job by its conflict'
is "$(as "$user2" "select count(*) from jobs where unique_key = 'secret' or user_id <> '$user2'")" 0 'no condition finds a job of others'
is "$(as_sqlstate "$user2" "select from jobs for update")" 42501   'and no job can be locked'

# What the token says is the gateway's; what comes with the job is ours.
is "$(as_sqlstate "$user2" "insert into jobs (kind, payload) values ('photo', '{\"user_id\": \"$user\", \"status\": \"succeeded\"}')")" 00000 \
    'columns in a payload are just payload'
is "$(as "$user2" "select distinct user_id, status from jobs where payload ? 'user_id'")" "$user2|queued" 'and change nothing'
for claims in '{"sub": "nobody"}' '{"sub": 1}' 'no json' '[]' '{"sub": {"a": 1}}'; do
    not_ok "claims that are odd let nobody in: $claims" grep -qx 00000 <<<"$(sqlstate_of "insert into jobs (kind) values ('photo')" \
        -c "select set_config('request.jwt.claims', '$claims', false)" -c 'set role authenticated')"
done
for claims in '{}' '{"role": "service_role"}' '{"sub": ""}' '{"sub": null, "role": "pgcrew_worker"}'; do
    is "$(psql -XAtq -c "select set_config('request.jwt.claims', '$claims', false)" -c 'set role authenticated' \
        -c 'select count(*) from jobs' 2>/dev/null | tail -n +2)" "$([ "$claims" = '{"sub": ""}' ] || echo 0)" "nor see a job: $claims"
done
sql 'create role eve login in role authenticated'
for role in service_role pgcrew_worker postgres owner; do
    is "$(sqlstate_of "set role $role" -U eve)" 42501 "a login of a user cannot become $role"
    is "$(sqlstate_of "set session authorization $role" -U eve)" 42501 'by no way'
done

# --- odd text -----------------------------------------------------------------------------

# Each as a payload of a user, and as every text of the service.
odd=(
    "'; drop table public.jobs; --"
    "\$fn\$ \$\$ \\\\ \" ' \`id\` \$(id) %s %I %n {} "
    $'\e[2J\e]0;owned\a\e[31m \r\b \x7f \xc2\x9b31m'
    $'two\nlines: error: forged'
    $'right \xe2\x80\xae to left \xef\xbf\xbf \xf0\x9f\x98\x80'
)
for text in "${odd[@]}"; do
    name=$(printf %q "$text")
    is "$(PGOPTIONS='-c client_encoding=utf8' psql -XAtq -v ON_ERROR_STOP=1 -v t="$text" <<'SQL'
with put as (select pgcrew.enqueue(:'t', to_jsonb(:'t'::text), queue => :'t', unique_key => :'t') as id)
select id is not null from put;
select pgcrew.enqueue(:'t', unique_key => :'t') = max(id) from jobs;
select kind = :'t' and queue = :'t' and unique_key = :'t' and payload #>> '{}' = :'t' from jobs order by id desc limit 1;
select count(*) from pgcrew.ready where kind = :'t' and queue = :'t';
SQL
)" $'t\nt\nt\n1' "kept as it is: $name"
    is "$(psql -XAtq -v ON_ERROR_STOP=1 -v t="$text" <<'SQL'
select set_config('o.k', pgcrew.register_worker(gen_random_uuid(), :'t', 1, 1, :'t', array[:'t'], array[:'t'], 1, 30000)::text, false) is not null;
select holder as holder from pgcrew.workers order by holder desc limit 1 \gset
select token as token, job_id as id from pgcrew.claim(:holder, '{0}', '{9223372036854775807}', array[:'t'], 1) \gset
select count(*) from pgcrew.report(:holder, array[:token], array[:id], '{1}', '{1}', array[:'t']);
select status from pgcrew.finish(:holder, :token, array[:id], '{failed}', '{1}', null, array[:'t'], array[:'t'], '{failed}', '{1}', null, array[:'t']);
select error = :'t' and progress_note = :'t' from jobs where id = :id;
select stderr_tail = :'t' and error = :'t' and holder_name = :'t' || '/1' from pgcrew.attempts where job_id = :id;
SQL
)" $'t\n0\nfailed\nt\nt' 'and as error, note, end of stderr and name of a host'
done

# a_payload TEXT WANT WHAT
a_payload() {
    is "$(as_sqlstate "$user" "insert into jobs (kind, payload) values ('photo', \$p\$$1\$p\$)")" "$2" "$3"
}
a_payload '"\u0000"' 22P05                        'a NUL is refused'
a_payload '"\ud800"' 22P02                        'half a character, too'
a_payload '{"a": 1e400000}' 22003                 'a number that is too large'
a_payload '{"a": 1e40000}' 00000                  'one that is only large is kept'
a_payload "$(printf '[%.0s' {1..20000})" 54001    'nesting without an end is refused'
a_payload "$(printf '[%.0s' {1..1000})$(printf ']%.0s' {1..1000})" 00000 'deep nesting is kept'
a_payload "\"$(printf 'x%.0s' {1..70000})\"" PT413 'more than the kind allows is refused'
is "$(as_sqlstate "$user" "select enqueue_jobs('photo', '{\"0\": 1}')") $(as_sqlstate "$user" "select enqueue_jobs('photo', 'null')")" '22023 22023' \
    'payloads that are no array'
is "$(as_sqlstate "$user" "select enqueue_jobs(null, '[1]')")" 42501 'no kind'
like "$(as "$user" "insert into jobs (kind) values (E'x\ny')" 2>&1)" 'cannot be enqueued by users' 'a kind with a line end is refused'
is "$(sqlstate_of "select pgcrew.enqueue(repeat('k', 101))") $(sqlstate_of "select pgcrew.enqueue('')") $(sqlstate_of "select pgcrew.enqueue('k', queue => repeat('q', 101))") $(sqlstate_of "select pgcrew.enqueue('k', unique_key => repeat('u', 501))")" \
    '23514 23514 23514 23514' 'names that are too long or empty'
is "$(sqlstate_of "select pgcrew.enqueue('k', priority => 32768)") $(sqlstate_of "select pgcrew.enqueue('k', priority => -1)") $(sqlstate_of "select pgcrew.enqueue('k', max_attempts => 40000)") $(sqlstate_of "select pgcrew.enqueue('k', max_attempts => 0)")" \
    '22003 23514 22003 23514' 'numbers that are out of range'

# Times without an end.
is "$(as_sqlstate "$user" "insert into jobs (kind, run_at) values ('photo', 'infinity')")" 22023 'a user cannot put off a job for ever'
is "$(as_sqlstate "$user" "insert into jobs (kind, run_at) values ('photo', '-infinity')")" 00000 'one since ever is due'
sql "select pgcrew.enqueue('k', run_at => 'infinity')" >/dev/null
due=$(sql "select pgcrew.enqueue('k', run_at => now() + interval '20 ms')")
is "$(sql 'select pg_sleep(0.03)' >/dev/null; sql 'select moved, next_due_ms from pgcrew.promote(10)')" '1|' \
    'a job that waits for ever does not keep others from being promoted'
is "$(place "$due")" 'queued ready' 'which are ready then'
is "$(broken)" '' 'everything agrees'
done_testing
