#!/usr/bin/env bash
# Failure points are for tests only; every statement has them.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

cd "$top" || exit 1
"${CC:-cc}" -std=c17 -D_GNU_SOURCE -Isrc -c -o "$dir/release.o" src/base/fault.c
is "$(nm "$dir/release.o")" '' 'without --enable-faults nothing is left of them'
"${CC:-cc}" -std=c17 -D_GNU_SOURCE -Isrc -DPGCREW_FAULTS -c -o "$dir/tests.o" src/base/fault.c
like "$(nm "$dir/tests.o")" ' T fault_here$' 'with it they are there'
for file in src/queue/sql/*.sql src/db/sql/*.sql; do
    name=$(basename "$file" .sql)
    ok "the statement '$name' has failure points" grep -q "^    {\"${name#db_}\", " src/base/fault.c
done
done_testing
