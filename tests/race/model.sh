#!/usr/bin/env bash
# The model of claim, finish, reap and lease (lease.pml): spin looks at every run there is
# with so many faults.  No promise is broken; and each is broken when one thing that it
# depends on is taken away, or the model would prove nothing.
# timeout: 300
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"

model=$repo/tests/race/lease.pml
command -v spin >/dev/null || skip_all 'spin is not installed'
dir=$(mktemp -d "${TMPDIR:-/tmp}/pgcrew-model.XXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# compile safety|liveness gcc-option spin-option...: makes ./pan
compile() {
    local what=$1 optimize=$2 how
    shift 2
    how='-DSAFETY -DNOCLAIM'
    [ "$what" = safety ] || how=-DNFAIR=3
    rm -f pan ./*.trail
    # shellcheck disable=SC2086
    spin -a "$@" "$model" >spin.out 2>&1 &&
        gcc "$optimize" -w $how -DCOLLAPSE -DMEMLIM=1000 -o pan pan.c 2>>spin.out || { cat spin.out; return 1; }
}

# verify safety|liveness: what pan says; it looks for promises broken, or for jobs that never end
verify() {
    local how=-n
    [ "$1" = safety ] || how='-n -a -f'
    # shellcheck disable=SC2086
    ./pan $how -m100000 2>&1
}

holds() {
    local what=$1 optimize=$2 says
    shift 2
    compile "$what" "$optimize" "$@" || return 1
    says=$(verify "$what")
    echo "# $(grep -E 'states, stored|elapsed' <<<"$says" | xargs)"
    grep -q 'errors: 0$' <<<"$says" && ! grep -qE 'search not completed|max search depth too small|out of memory' <<<"$says" ||
        { printf '%s\n' "$says"; return 1; }
}

# breaks WANT safety|liveness option...: there is a counter-example, of that kind
breaks() {
    local want=$1 what=$2 says
    shift 2
    compile "$what" -O0 "$@" || return 1
    says=$(verify "$what")
    grep -q "^pan:.*$want" <<<"$says" || { printf '%s\n' "$says"; return 1; }
}

ok 'two workers, one job, two faults of any kind: no promise is broken' holds safety -O1 -DFAULTS=2
ok 'two jobs and one fault: none is broken' holds safety -O0 -DFAULTS=1 -DJOBS=2
ok 'three workers and one fault: none is broken' holds safety -O0 -DFAULTS=1 -DWORKERS=3
ok 'every job ends, one fault' holds liveness -O0 -DFAULTS=1

while read -r mutant what; do
    ok "$mutant is found: $what" breaks 'assertion violated' safety -DFAULTS=2 "-D$mutant"
done <<END
UNFENCED an end is accepted without a look at the token
RELEASE_WITHOUT_TOKEN a job is given back without a look at the token
NO_LOCK a claim looks first and takes then
REAP_EARLY a lease is taken for lost before it is over
REAP_RUNNING a dead worker is reaped before what ran below it is killed
NO_KILL a worker that could not renew its lease lets its handler run
FORGET_DYING a worker gives back what its killed handler still works on
RETRY_FOR_EVER attempts are not limited
END

while read -r mutant faults what; do
    ok "$mutant is found: $what" breaks 'acceptance cycle' liveness "-DFAULTS=$faults" "-D$mutant"
done <<END
NO_REAP 1 nobody takes from the dead
NO_RELEASE_UNKNOWN 1 a worker keeps a claim whose answer it never heard
TELL_ONCE 2 a worker keeps what its lost attempt had
REGISTER_BLIND 2 a registration does not see another that is under way
END

done_testing
