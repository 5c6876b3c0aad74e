#!/usr/bin/env bash
# The rules of the chaos test see each a lie in ledgers that are otherwise true, and only it;
# and no rule is without.
. "$(dirname "$0")/../lib/tap.sh"

here=$(cd "$(dirname "$0")" && pwd)
told=$(cd "$here" && python3 -B -m lies) || bail 'the lies cannot be told'
while IFS=$'\t' read -r what found wanted; do
    is "$found" "$wanted" "$what"
done <<<"$told"
done_testing
