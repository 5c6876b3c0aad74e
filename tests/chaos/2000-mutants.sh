#!/usr/bin/env bash
# The checker of the chaos test sees pgcrew broken on purpose, one way after the other: a run
# ends as soon as each rule that must see it has done so.
# timeout: 600
. "$(dirname "$0")/../lib/tap.sh"
: "${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}"

here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
chmod 755 "$dir"
export TMPDIR=$dir
running=()
clean_up() {
    # TERM: each cleans up by itself.
    [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null
    wait
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 143' INT TERM

run_mutant() {
    local mutant=$1 seconds=$2 faults=$3
    exec "$here/run" --seconds "$seconds" --drain 8 --jobs-rate 30 --seed 1 --daemons 2 --until-seen \
        --template "$dir/template" --mutant "$mutant" --faults "$faults" \
        --report "$dir/$mutant.json" >"$dir/$mutant.out" 2>&1 </dev/null
}

# Those of its rules that have seen nothing.
unseen() {
    local rules rule
    IFS=, read -ra rules <<<"$2"
    for rule in "${rules[@]}"; do
        jq -e --arg rule "$rule" '.violations[$rule] > 0' "$dir/$1.json" >/dev/null 2>&1 || echo "$rule"
    done
}

"$here/run" --list-mutants >"$dir/mutants"
while IFS=$'\t' read -r mutant seconds faults _; do
    # Most of the time they wait.
    while [ "$(jobs -rp | wc -l)" -ge 3 ]; do wait -n; done
    run_mutant "$mutant" "$seconds" "$faults" &
    mapfile -t running < <(jobs -rp)
done <"$dir/mutants"
wait
running=()

while IFS=$'\t' read -r mutant _ _ rules; do
    left=$(unseen "$mutant" "$rules")
    is "$left" ''                                    "$mutant: seen by $rules"
    [ -z "$left" ] || tail -n 30 "$dir/$mutant.out" | sed 's/^/# /'
done <"$dir/mutants"
ok 'there are mutants'                               test "$(wc -l <"$dir/mutants")" -ge 18
done_testing
