#!/usr/bin/env bash
# Everything around pgcrew breaks, in one world after the other: network, disks, limits, clocks,
# the primary, the pooler.  And a run that is killed leaves nothing behind.
# timeout: 400
. "$(dirname "$0")/../lib/tap.sh"
: "${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}"

here=$(cd "$(dirname "$0")" && pwd)
seed=${PGCREW_CHAOS_SEED:-$((RANDOM * 32768 + RANDOM))}
worlds=(network failover disk limits 'host clock' 'server clock' proxy 'session pooler' 'transaction pooler')
dir=$(mktemp -d) || exit 1
chmod 755 "$dir"
export TMPDIR=$dir
running=()
clean_up() {
    # TERM: each cleans up by itself, and the namespaces of those that do not end with them.
    [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null
    wait
    rm -rf --one-file-system "$dir"
}
trap clean_up EXIT
trap 'exit 143' INT TERM

# A world alone, without other faults than its own: each run is its own witness.
run_world() {
    "$here/run" --world "$1" --faults own --seconds 12 --jobs-rate 15 --daemons 2 --workers 1 --seed "$seed" \
        --report "$dir/$1.json" >"$dir/$1.out" 2>&1 </dev/null
}

judge() {
    local world=$1 status=$2 out="$dir/$1.out"
    if [ "$status" -eq 77 ]; then
        skip "$(sed -n 's/^1..0 # SKIP //p' "$out")" "$world"
        return
    fi
    is "$status" 0                       "$world: every job has ended, and none wrongly"
    ok "$world: there were faults"       test "$(jq '[.faults[]] | add // 0' "$dir/$world.json" 2>/dev/null || echo 0)" -gt 0
    [ "$status" -eq 0 ] && sed -n 's/^\(fault \|[a-z].* [0-9]\)/# \1/p' "$out" || sed 's/^/# /' "$out"
}

echo "# PGCREW_CHAOS_SEED=$seed"
for world in "${worlds[@]}"; do
    # Most of the time they wait.
    while [ "$(jobs -rp | wc -l)" -ge 3 ]; do wait -n; done
    (run_world "$world"; echo $? >"$dir/$world.status") &
    mapfile -t running < <(jobs -rp)
done
wait
running=()
for world in "${worlds[@]}"; do
    judge "$world" "$(cat "$dir/$world.status")"
done

# --- killed ---------------------------------------------------------------------------

of_it() { pgrep -f "$dir/pgcrew-chaos" >/dev/null; }
is_gone() {
    for _ in {1..600}; do
        of_it || return 0
        sleep 0.1
    done
    return 1
}
if [ "$(cat "$dir/disk.status")" -ne 77 ]; then
    mkfifo "$dir/says"
    "$here/run" --world disk --faults none --seconds 200 --seed 1 >"$dir/says" 2>&1 </dev/null &
    victim=$!
    running=("$victim")
    while read -r line; do
        case $line in *'set up in'*) break ;; esac
    done <"$dir/says"
    for _ in {1..300}; do
        pgrep -f "pgcrewd -c $dir/pgcrew-chaos" >/dev/null && break
        sleep 0.1
    done
    ok 'a run has begun'                             pgrep -f "pgcrewd -c $dir/pgcrew-chaos"
    kill -KILL "$victim"
    wait "$victim" 2>/dev/null
    running=()
    ok 'killed, it leaves no process behind'         is_gone
    not_ok 'and no mount'                            grep -q "$dir" /proc/mounts
fi
done_testing
