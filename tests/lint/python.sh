#!/usr/bin/env bash
# Python files compile, and what they bring in, set or define is used.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
command -v python3 >/dev/null || skip_all 'python3 is not installed'

# Scripts by their first line, modules by their name.
python_files() {
    find "$@" -type f \( -name '*.py' -o -exec \
        awk 'FNR == 1 { exit !/^#!.*(\/|env )python3?( |$)/ }' {} \; \) -print 2>/dev/null | sort
}

unused() { python3 -B "$top/tests/lint/unused.py" "$@"; }

cd "$top" || exit 1
mapfile -t ours < <(python_files tests)
mapfile -t shipped < <(python_files contrib)
ok "there are Python files" test ${#ours[@]} -gt 50 -a ${#shipped[@]} -gt 1
is "$(unused "${ours[@]}")" "" "those of tests compile, and nothing in them is unused"
is "$(unused "${shipped[@]}")" "" "so do those that are shipped"

cat >"$dir/a.py" <<'END'
import os
import sys as system

def used(argument):
    left = 1
    for _ in system.argv:
        try:
            kept = argument
        except OSError as why:
            pass
    return kept

def alone():
    used(1)
END
is "$(unused "$dir/a.py" | sed 's/.*py://')" "1: 'os' is imported and not used
5: 'left' is set and not used
9: 'why' is set and not used
13: 'alone' is never called" "what is unused is found"
echo 'def broken(:' >"$dir/b.py"
like "$(unused "$dir/b.py")" "b.py:1: " "what does not compile is found"

done_testing
