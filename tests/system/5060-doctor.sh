#!/usr/bin/env bash
# pgcrew doctor: break one thing after the other, and it is found.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/queue.sh"
. "$(dirname "$0")/../lib/tool.sh"

# found CHECK LEVEL REGEX 'what': the run has such a finding, with something to do about it.
found() {
    tool doctor --json
    is "$(field "[.checks[] | select(.check == \"$1\" and .level == \"$2\" and (.finding | test(\"$3\")))] | length > 0")" true "$4"
}
as_owner() { PGUSER=postgres sql "$1"; }

pg_start
sql 'create role owner login createrole'
sql 'create database app owner owner'
export PGDATABASE=app PGUSER=owner
found schema error 'no table' 'a database without tables'
status_is 1 'which is status 1'
sql 'create table public.jobs (mine text)'
found schema error 'not made by pgcrew' 'a table of somebody else'
sql 'drop table public.jobs'
apply "$repo"/migrations/00[0-4]*.sql >/dev/null
found schema error 'has version 4' 'an older schema'
migrate >/dev/null
sql "comment on table public.jobs is 'pgcrew job queue; schema version 99'"
found schema error 'has version 99' 'a newer schema'
sql "comment on table public.jobs is 'pgcrew job queue; schema version 99; programs since 5'"
found schema warn 'has version 99.* works with it' 'a newer schema that is for this version, too'
sql "comment on table public.jobs is 'pgcrew job queue; schema version 99; programs since 98'"
found schema error 'has version 99' 'and one that is not'
sql "comment on table public.jobs is 'pgcrew job queue; schema version $(sql 'select max(version) from pgcrew.migrations')'"
as_owner 'alter role pgcrew_worker login'
export PGUSER=pgcrew_worker
found workers error 'no worker' 'nobody works'
found daemon warn 'cannot reach' 'no daemon answers here'

worker 1 30000 default mail >/dev/null
tool doctor
status_is 0 'with a worker there is no error'
like "$out" '^ok +schema'                               'every check has a line'
like "$out" '^0 errors, 1 warnings'                     'the end is a sum'

sql "select pgcrew.enqueue('fax'); select pgcrew.enqueue('mail', queue => 'slow')" >/dev/null
found 'waiting jobs' error "handler for kind 'fax'" 'a kind without a handler'
found 'waiting jobs' error "serves queue 'slow'" 'a queue without a worker'
id=$(sql "select id from public.jobs where kind = 'fax'")
tool doctor --job "$id" --json
is "$(field .job.reason)" no_handler                    'with a job it says why'
tool doctor --job abc
status_is 2 'a job that is no number'
PGUSER=owner sql 'delete from public.jobs' >/dev/null

# Who may touch jobs.
PGUSER=owner sql 'grant select on public.jobs to anon'
found users error 'anon may select' 'jobs open to anon'
PGUSER=owner sql 'revoke select on public.jobs from anon; grant execute on function pgcrew.enqueue to public'
found users error 'may execute pgcrew.enqueue' 'a function open to everybody'
PGUSER=owner sql 'revoke execute on function pgcrew.enqueue from public; alter table public.jobs disable row level security'
found users error 'no row level security' 'row level security switched off'
PGUSER=owner sql 'alter table public.jobs enable row level security; alter policy jobs_select_own on public.jobs using (auth.uid() = user_id)'
found users warn 'once a row' 'a slow policy'
PGUSER=owner sql 'drop policy jobs_select_own on public.jobs'
found users error 'Job not found' 'users cannot see their jobs'
PGUSER=owner sql 'create policy jobs_select_own on public.jobs for select to authenticated using ((select auth.uid()) = user_id);
    create policy wide on public.jobs for select to authenticated using (true)'
found users error 'policy wide' 'a policy that shows all to all'
PGUSER=owner sql 'drop policy wide on public.jobs'

# What this login may do.
as_owner 'create role nobody login; create role half login in role service_role noinherit;
          create role blind login; grant select on public.jobs to blind; grant usage on schema pgcrew to blind;
          create role member login in role service_role'
PGUSER=nobody found login error 'may not call' 'a login without rights'
PGUSER=half found login error 'may not call' 'a member of service_role that does not inherit'
PGUSER=blind found login error 'hides the rows' 'a login that sees no rows, without an error'
PGUSER=member found login ok 'sees all' 'a member of service_role'
PGCREW_DATABASE_ROLE=service_role PGUSER=half found login ok 'sees all' 'one with the role configured'

# The way to the database.
PGDATABASE=nope found database error 'does not exist' 'a database that is not there'
PGHOST=/nonexistent found database error 'No such file' 'no socket'
PGHOST=127.0.0.1 PGPORT=1 found database error 'refused' 'nobody listens'
is "$(field '.checks[] | select(.check == "database") | .fix | test("is PostgreSQL running")')" true 'it is said what to do'
as_owner "create role locked login password 'right'"
sed -i '1i local all locked scram-sha-256' "$pg_dir/data/pg_hba.conf"
as_owner 'select pg_reload_conf()' >/dev/null
PGUSER=locked PGPASSWORD=wrong found database error 'password authentication failed' 'a wrong password'
not_ok 'which is not repeated' grep -q wrong <<<"$(field '.checks[].finding')"
as_owner 'alter role blind set default_transaction_read_only = on'
PGUSER=blind found database error 'read-only' 'a session that cannot write'
echo 'queue: {nmes: [x]}' >"$pg_dir/bad.yaml"
tool doctor --config "$pg_dir/bad.yaml"
status_is 1 'a bad configuration'
like "$out" "^error +configuration .*bad.yaml:1"        'is named with file and line'

# Keys.
b64() { printf '%s' "$1" | base64 -w 0 | tr '+/' '-_' | tr -d =; }
token() { printf '%s.%s.sig' "$(b64 '{"alg":"HS256"}')" "$(b64 "$1")"; }
SUPABASE_SERVICE_ROLE_KEY=$(token '{"role":"anon"}') found 'API key' error 'anon' 'the anon key'
SUPABASE_SECRET_KEY=sb_publishable_x found 'API key' error 'publishable' 'the publishable key'
SUPABASE_SERVICE_ROLE_KEY=$(token '{"role":"service_role","exp":1000}') found 'API key' error 'expired' 'an old key'
SUPABASE_URL=https://abc.supabase.co SUPABASE_SERVICE_ROLE_KEY=$(token '{"role":"service_role","ref":"xyz"}') \
    found 'API key' error "'xyz'.*'abc'" 'the key of another project'
SUPABASE_SECRET_KEY=sb_secret_verysecret found 'API key' ok 'service key' 'a good key'
SUPABASE_SECRET_KEY=sb_secret_verysecret tool doctor
not_ok 'is not shown' grep -q verysecret <<<"$out$errors"
SUPABASE_SECRET_KEY=sb_secret_verysecret PGHOST='' found 'API key' error 'no database URL' 'a key without a database URL'
DATABASE_URL=sb_secret_verysecret found database error 'API key' 'a key as database URL'

if command -v pgbouncer >/dev/null; then
    mkdir -m 777 "$pg_dir/bouncer"
    cat >"$pg_dir/bouncer/ini" <<-CONF
	[databases]
	app = host=$PGHOST port=$PGPORT user=pgcrew_worker
	[pgbouncer]
	listen_addr =
	unix_socket_dir = $pg_dir/bouncer
	listen_port = 6543
	auth_type = any
	pool_mode = transaction
	CONF
    pg_as_server pgbouncer -q "$pg_dir/bouncer/ini" >"$pg_dir/bouncer/log" 2>&1 &
    at_exit "kill $! 2>/dev/null"
    wait_for 10 test -S "$pg_dir/bouncer/.s.PGSQL.6543"
    PGHOST=$pg_dir/bouncer PGPORT=6543 found pooler warn 'pooler' 'a pooler'
else
    skip 'pgbouncer is not installed' 'a pooler'
fi
done_testing
