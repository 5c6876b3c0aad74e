#!/usr/bin/env bash
# The unit tests once more under valgrind: memory that is read before it was written, used
# after it was freed, or lost.  Children are followed, programs that they become are not.
set -u
. "$(dirname "$0")/../lib/tap.sh"
build=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}

# Tests of which valgrind makes a part fail: there only what valgrind finds counts.
declare -A hindered=(
    [test_confine]='limits of memory and processes hit valgrind itself, and it knows no seccomp'
    [test_supervisor]='it is about promptness and memory limits'
    [test_exec]='a failed execve is the end of a program in valgrind'
    [test_serve]='the same'
    [test_ctl]='when descriptors run out valgrind has none either'
)

command -v valgrind >/dev/null || skip_all 'valgrind is not installed'
cd "$(dirname "$0")/../.." || exit 1
wanted=${*:-$(make -s --no-print-directory -C "$build" list-unit-tests)}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

# Each process has a file of its own.  What valgrind does not know (seccomp) begins with --, and an
# execve that fails, as it should, is no error of ours.
errors() {
    grep -hs '^==' "$log"/[0-9]* | grep -Ev 'execve\(.*\) failed|EXEC FAILED|Add more stringent'
}

run() {
    rm -f "$log"/*
    PGCREW_PATIENCE=20 valgrind -q --error-exitcode=99 --exit-on-first-error=no --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite --suppressions=tests/memory/valgrind.supp --log-file="$log/%p" \
        "$build/tests/unit/$1" >"$log/out" 2>&1 </dev/null
    status=$?
    [ -z "$(errors)" ] && grep -q '^1[.][.]' "$log/out" &&
        { [ $status -eq 0 ] || [ -n "${hindered[$1]:-}" ]; }
}

for test in $wanted; do
    name=$(basename "$test")
    if run "$name"; then
        tap_pass "$name"
    else
        tap_fail "$name"
        grep -h '^not ok' "$log/out" | sed 's/^/# /'
        errors | head -n 60 | sed 's/^/# /'
    fi
done
done_testing
