#!/usr/bin/env bash
# pgcrew migrate: apply, look, refuse, several at once.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
pg_start
sql 'create role owner login createrole'

new_database() {
    PGUSER=postgres sql "create database $1 owner owner" -d postgres
    export PGDATABASE=$1 PGUSER=owner
}
newest=$(printf '%s\n' "$repo"/migrations/[0-9]*.sql | sed 's,.*/,,' | tail -n 1)
version=$((10#${newest%%_*}))

new_database fresh
tool migrate status
status_is 1 'an empty database has migrations pending'
tool --json migrate status
is "$(field '.version, .foreign, .migrations[0].state' | paste -sd ' ')" 'null false pending' 'in JSON, too'
tool migrate
status_is 0 'they are applied by an owner who is no superuser'
like "$out" "applied $newest"                           'up to the newest'
tool migrate status
status_is 0 'then nothing is pending'
tool --json migrate
is "$(field '.applied | length')" 0                     'a second time nothing is applied'
is "$(field .version)" "$version"                       'the version is that of the newest file'
is "$(sql 'select max(version) from pgcrew.migrations')" "$version" 'the database says the same'

new_database crowd
for i in 1 2 3 4 5 6; do
    "$build/pgcrew" migrate >"$pg_dir/crowd.$i" 2>&1 &
    pids="${pids:-} $!"
done
failed=0
for pid in $pids; do wait "$pid" || failed=$((failed + 1)); done
is "$failed" 0                                          'six at once all succeed'
is "$(cat "$pg_dir"/crowd.* | grep -c "^applied $newest")" 1 'and only one of them applies'

new_database foreign_jobs
sql 'create table public.jobs (mine text)'
tool migrate
status_is 1 'a table jobs that is not ours is refused'
like "$errors" 'not made by pgcrew'                     'and it is said why'
is "$(sql "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace
            where nspname in ('pgcrew', 'auth') or relname = 'jobs' and nspname = 'public'")" 1 \
    'nothing has been changed'
tool --json migrate status
is "$(field .foreign)" true                             'status says so'

new_database newer
tool migrate
sql "insert into pgcrew.migrations (version, file) values ($((version + 1)), 'future.sql')"
tool migrate
status_is 1 'a schema newer than the tool is refused'
like "$errors" "version $((version + 1))"               'with both versions'
tool migrate status
status_is 1 'status says so'
like "$out" 'future.sql +newer'                         'and names the file'
sql "comment on table public.jobs is 'pgcrew job queue; schema version $((version + 1)); programs since $version'"
tool migrate
status_is 0 'a newer one that says it is for this tool, too, is left as it is'
like "$out" "version $((version + 1)), newer than this tool \($version\)" 'which is said'
tool migrate --json
is "$(field '.version, (.applied | length)' | paste -sd ' ')" "$((version + 1)) 0" 'for programs, too'
tool migrate status
status_is 0 'status finds nothing to do'

new_database old
"$build/pgcrew" --json migrate print | jq -r '.migrations[0, 1].sql' | psql -Xq -1 -v ON_ERROR_STOP=1 >/dev/null 2>&1
tool migrate
status_is 0 'an older schema is brought up'
is "$(grep -c ^applied <<<"$out")" "$(($(printf '%s\n' "$repo"/migrations/[0-9]*.sql | wc -l) - 2))" \
    'by what it lacks'

new_database half
tool --database "host=$PGHOST dbname=half user=postgres options='-c default_transaction_read_only=on target_session_attrs=any'" migrate
is "$([ "$status" -ne 0 ] && echo refused)" refused     'a failure in the middle is an error'
is "$(sql "select count(*) from pg_namespace where nspname = 'pgcrew'")" 0 'and leaves nothing behind'

new_database by_hand
"$build/pgcrew" migrate print | psql -Xq -1 -v ON_ERROR_STOP=1 >/dev/null 2>&1
is $? 0                                                 'what print prints can be run by psql'
tool migrate status
status_is 0 'and is complete'

mkdir -p "$pg_dir/project/supabase/migrations"
touch "$pg_dir/project/supabase/migrations/29991231235959_theirs.sql"
tool migrate --supabase "$pg_dir/project"
status_is 0 'files for the Supabase CLI'
files=("$pg_dir"/project/supabase/migrations/*_pgcrew_*.sql)
is "${#files[@]}" "$(($(printf '%s\n' "$repo"/migrations/[0-9]*.sql | wc -l) - 1))" 'all but the one for plain PostgreSQL'
like "${files[0]##*/}" '^30000101000000_pgcrew_004_'    'sort behind the newest file of the project'
ok 'and are the migrations' cmp -s "${files[0]}" "$repo/migrations/004_create_jobs_table.sql"
tool migrate --supabase "$pg_dir/project"
like "$out" 'there already'                             'a second time nothing is written'
tool migrate --supabase /nonexistent
status_is 1 'a folder that is not there'
done_testing
