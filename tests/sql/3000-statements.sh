#!/usr/bin/env bash
# Every statement that the programs send can be prepared against the schema, by the
# login that sends it.
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/lib/tap.sh
. "$here/../lib/tap.sh"
# shellcheck source=tests/lib/postgres.sh
. "$here/../lib/postgres.sh"

pg_start && migrate || bail 'no database'
sql 'alter role pgcrew_worker login'
export PGUSER=pgcrew_worker

for file in "$repo"/src/*/sql/*.sql; do
    text=$(cat "$file")
    case $text in
        *$'\n''listen '*) continue ;; # a command, not a query
    esac
    name=${file#"$repo"/src/}
    if said=$(sql "prepare statement as $text" 2>&1); then
        tap_pass "$name"
    else
        tap_fail "$name"
        tap_say 'says: ' "$said"
    fi
done
done_testing
