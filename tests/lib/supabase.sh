# A cluster that looks to a migration like a Supabase project: the roles, who owns
# what, and what is granted by default.  Needs tests/lib/postgres.sh.
#
#   supabase_start old    a project from before 2026-05-30: new tables of public are
#                         granted to everybody
#   supabase_start new    one from after it: granted to nobody
#
# Leaves PGUSER=postgres, which is no superuser there.
#
# shellcheck shell=bash

supabase_start() {
    pg_start supabase_admin
    psql -Xq -v ON_ERROR_STOP=1 -v age="$1" -f "$repo/tests/lib/supabase.sql" || bail 'cannot set up the Supabase roles'
    export PGUSER=postgres
}
