#!/usr/bin/env bash
# Races as specifications: isolationtester runs the steps of two sessions in every
# order that matters, on a fresh state each time; what it prints is compared with
# expected/.  A spec is one race; `run.sh --accept` writes what it printed just now.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"

here=$repo/tests/race
tester=$(printf '%s\n' /usr/lib/postgresql/*/lib/pgxs/src/test/isolation/isolationtester | sort -V | tail -n 1)
[ -x "$tester" ] || skip_all 'isolationtester is not installed (postgresql-server-dev)'

pg_start
migrate || bail 'cannot migrate'
psql -Xq -v ON_ERROR_STOP=1 -f "$here/words.sql" || bail 'cannot make the words of the specs'

out=$(mktemp -d "${TMPDIR:-/tmp}/pgcrew-race.XXXXXX")
at_exit "rm -rf '$out'"
for spec in "$here"/*.spec; do
    name=$(basename "$spec" .spec)
    timeout 60 env PGISOLATIONTIMEOUT=20 "$tester" "host=$PGHOST port=$PGPORT user=$PGUSER dbname=$PGDATABASE" <"$spec" >"$out/$name.out" 2>&1
    if [ "${1:-}" = --accept ]; then
        cp "$out/$name.out" "$here/expected/$name.out"
    elif cmp -s "$out/$name.out" "$here/expected/$name.out"; then
        tap_pass "$name"
    else
        tap_fail "$name"
        diff -u "$here/expected/$name.out" "$out/$name.out" | sed 's/^/# /'
    fi
done
done_testing
