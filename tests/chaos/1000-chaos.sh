#!/usr/bin/env bash
# Jobs under faults that the seed chooses: nothing lost, nothing done wrongly.
# timeout: 300
. "$(dirname "$0")/../lib/tap.sh"
: "${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}"

here=$(cd "$(dirname "$0")" && pwd)
seed=${PGCREW_CHAOS_SEED:-$((RANDOM * 32768 + RANDOM))}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

echo "# PGCREW_CHAOS_SEED=$seed"
"$here/run" --seconds 45 --seed "$seed" --report "$dir/figures" >"$dir/out" 2>&1 </dev/null
status=$?
sed 's/^\(# \)\?/# /' "$dir/out"
figure() { jq -r "$1" "$dir/figures" 2>/dev/null || echo 0; }
is "$status" 0                                              'the run was clean'
is "$(figure '.violations | length')" 0                     'no rule was violated'
ok 'there were faults'                                      test "$(figure '[.faults[]] | add')" -gt 10
ok 'there were jobs'                                        test "$(figure '.ended.succeeded')" -gt 100
is "$(figure '.jobs - ([.ended[]] | add)')" 0               'every job has ended'
done_testing
