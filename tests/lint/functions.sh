#!/usr/bin/env bash
# Functions fit on a screen.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

screen=60

# long_functions FILE...: those with more lines than a screen, braces included.
long_functions() {
    awk -v screen=$screen '
        FNR == 1 { name = "" }
        /^[a-z_A-Z].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
        /^\{/ { start = FNR }
        /^\}$/ && start && FNR - start + 1 > screen {
            print FILENAME ": " name " has " FNR - start + 1 " lines"
        }
        /^\}/ { start = 0 }' "$@"
}

cd "$top" || exit 1
mapfile -t sources < <(find src tests -name '*.c' | sort)
is "$(long_functions "${sources[@]}")" "" "no function has more than $screen lines"

{
    printf 'static int\nlong_one(void)\n{\n'
    seq $screen | sed 's/.*/    call(&);/'
    printf '}\n\nint\nshort_one(void)\n{\n}\n'
} >"$dir/a.c"
is "$(long_functions "$dir/a.c")" "$dir/a.c: long_one has $((screen + 2)) lines" \
    "a longer one is found"

done_testing
