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

# start_run NAME SECONDS FAULTS [OPTION...]
start_run() {
    local name=$1 seconds=$2 faults=$3
    shift 3
    # Most of the time they wait.
    while [ "$(jobs -rp | wc -l)" -ge 3 ]; do wait -n; done
    "$here/run" --seconds "$seconds" --jobs-rate 30 --seed 1 --daemons 2 --until-seen --template "$dir/template" \
        --faults "$faults" --report "$dir/$name.json" "$@" >"$dir/$name.out" 2>&1 </dev/null &
    mapfile -t running < <(jobs -rp)
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
# What is not broken: nobody sees anything, neither on the way nor at the end.
start_run sound 12 'kill worker,kill supervisor,stop worker,terminate one,ghost'
while IFS=$'\t' read -r mutant seconds faults _; do
    start_run "$mutant" "$seconds" "$faults" --mutant "$mutant" --drain 8
done <"$dir/mutants"
wait
running=()

while IFS=$'\t' read -r mutant _ _ rules; do
    left=$(unseen "$mutant" "$rules")
    is "$left" ''                                    "$mutant: seen by $rules"
    [ -z "$left" ] || tail -n 30 "$dir/$mutant.out" | sed 's/^/# /'
done <"$dir/mutants"
is "$(jq -c .violations "$dir/sound.json")" '{}'     'nothing is seen of what is not broken'
like "$(cat "$dir/sound.out")" 'drained in'          'and its run does not end early'
ok 'there are mutants'                               test "$(wc -l <"$dir/mutants")" -ge 18
done_testing
