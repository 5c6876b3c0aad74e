#!/usr/bin/env bash
# `supabase db push` of the real command line tool takes our files.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/supabase.sh"

# Its package brings a program for this machine; where it cannot be had, the editor's
# way of sending the files is tested in 1010.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v npm >/dev/null || skip_all 'npm is not installed'
(cd "$work" && timeout 120 npm install --no-audit --no-fund --silent supabase) >"$work/log" 2>&1 ||
    skip_all "the npm package supabase cannot be installed: $(tail -n 1 "$work/log")"
cli=$work/node_modules/.bin/supabase
timeout 30 "$cli" --version >"$work/log" 2>&1 || skip_all "the supabase tool does not run here: $(tail -n 1 "$work/log")"

at_exit "rm -rf '$work'"
export PG_TCP_PORT
PG_TCP_PORT=$(free_port)
supabase_start new

# The option that takes a database changed its name in version 3.
url="postgresql://postgres:any@127.0.0.1:$PG_TCP_PORT/postgres?sslmode=disable"
target=(--db-url "$url")
if ! "$cli" db push --help 2>&1 | grep -q -- '--db-url '; then
    target=("--remote=$url")
fi
push() {
    (cd "$work" && timeout 60 "$cli" db push "${target[@]}" --yes "$@") >"$work/log" 2>&1 </dev/null || {
        sed 's/^/# /' "$work/log"
        return 1
    }
}

mkdir -p "$work/supabase/migrations"
touch "$work/supabase/config.toml"
cp "$repo"/migrations/00[456]_*.sql "$work/supabase/migrations"
ok 'db push runs 004, 005 and 006' push
is "$(sql "select obj_description('public.jobs'::regclass)")" 'pgcrew job queue; schema version 6; programs since 5' 'the schema is there'
is "$(sql 'select version from supabase_migrations.schema_migrations order by 1' | xargs)" '004 005 006' 'all are in its history'
ok 'a second push finds nothing to do' push
ok 'the editor after a push runs them once more' apply "$repo"/migrations/00[456]_*.sql
is "$(sql "insert into jobs (kind) values ('a') returning status")" queued 'a job can be inserted'

# A later file that fails is undone as a whole.
cat "$repo/migrations/005_queue_functions.sql" - >"$work/supabase/migrations/007_broken.sql" <<<'create table public.half (a int); select 1/0;'
not_ok 'a file with an error is refused' push
is "$(sql "select to_regclass('public.half') is null")" t 'and leaves nothing behind'

# Who uses time stamps has to say that ours come before what is there.
rm "$work"/supabase/migrations/*
echo 'create table public.own (a int);' >"$work/supabase/migrations/20260101000000_own.sql"
sql 'delete from supabase_migrations.schema_migrations where true'
ok 'a project that uses time stamps' push
cp "$repo"/migrations/00[456]_*.sql "$work/supabase/migrations"
ok 'takes them with --include-all' push --include-all

done_testing
