#!/usr/bin/env bash
# The checker of the chaos test sees pgcrew broken on purpose, one way after the other.
# timeout: 900
. "$(dirname "$0")/../lib/tap.sh"
: "${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}"

here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT

while IFS=$'\t' read -r mutant seconds faults rules; do
    "$here/run" --seconds "$seconds" --drain 8 --jobs-rate 30 --seed 1 --daemons 2 \
        --mutant "$mutant" --faults "$faults" >"$out" 2>&1 </dev/null
    status=$?
    seen=$(grep -cE "^VIOLATION ($rules):" "$out")
    ok "$mutant: seen" test "$status" -eq 1 -a "$seen" -gt 0
    grep -E '^violations' "$out" | sed 's/^/# /'
    [ "$status" -eq 1 ] || tail -n 20 "$out" | sed 's/^/# /'
done < <("$here/run" --list-mutants)
done_testing
