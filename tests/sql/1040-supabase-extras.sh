#!/usr/bin/env bash
# contrib/supabase: the upload trigger and the publication.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/supabase.sh"

supabase_start new
migrate || bail 'cannot migrate'
user=11111111-1111-4111-8111-111111111111
PGUSER=supabase_admin sql 'grant trigger on storage.objects to postgres'
ok 'the upload trigger can be made'                apply "$repo/contrib/supabase/upload-trigger.sql"
ok 'twice'                                         apply "$repo/contrib/supabase/upload-trigger.sql"
upload() { PGUSER=supabase_admin sql "insert into storage.objects (bucket_id, name, owner_id) values ('$1', '$2', '$3')"; }
upload uploads a.jpg $user
is "$(sql "select kind || ' ' || (payload ->> 'path') || ' ' || user_id from jobs")" "thumbnail a.jpg $user" \
    'an upload makes a job of its owner'
upload other b.jpg $user
is "$(sql 'select count(*) from jobs')" 1          'an upload to another bucket makes none'
upload uploads c.jpg 'no uuid' 2>/dev/null
is "$(sql 'select count(*) from storage.objects')" 3 'an upload does not fail because of its job'
ok 'the publication takes the table'               apply "$repo/contrib/supabase/realtime.sql"
ok 'twice'                                         apply "$repo/contrib/supabase/realtime.sql"
is "$(sql "select count(*) from pg_publication_tables where pubname = 'supabase_realtime' and tablename = 'jobs'")" 1 \
    'and has it once'
done_testing
