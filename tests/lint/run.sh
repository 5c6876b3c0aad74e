#!/usr/bin/env bash
# tests/run counts what really happened: the test of the test runner.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/unit"

# script NAME < text: a test file of its own.
script() {
    { echo '#!/bin/sh'; cat; } >"$dir/unit/$1"
    chmod +x "$dir/unit/$1"
}

# What the runner says of one file in its last line.
verdict() {
    "$top/tests/run" --build "$dir" --no-make "$dir/unit/$1" 2>&1 | tail -n 1
}

script good <<'END'
printf 'ok 1 - a\nok 2 - b\n1..2\n'
END
script bad <<'END'
printf 'ok 1 - a\nnot ok 2 - b\n1..2\n'; exit 1
END
script no_plan <<'END'
echo 'ok 1 - a'
END
script too_few <<'END'
printf '1..3\nok 1 - a\n'
END
script crashed <<'END'
printf 'ok 1 - a\n1..1\n'; kill -9 $$
END
script slow <<'END'
# timeout: 1
printf 'ok 1 - a\n1..1\n'; exec sleep 60
END
script one_skipped <<'END'
printf 'ok 1 - a\nok 2 - b # SKIP no luck\n1..2\n'
END
script all_skipped <<'END'
echo '1..0 # SKIP no valgrind'
END
script silent <<'END'
:
END

is "$(verdict good)" "2 passed, 0 failed, 0 skipped" "passed tests are counted"
is "$(verdict bad)" "1 passed, 1 failed, 0 skipped" "a failed test is counted"
is "$(verdict no_plan)" "1 passed, 1 failed, 0 skipped" "a file without a plan failed"
is "$(verdict too_few)" "1 passed, 1 failed, 0 skipped" "a file that runs less than planned failed"
is "$(verdict crashed)" "1 passed, 1 failed, 0 skipped" "a crash after the plan is a failure"
is "$(verdict slow)" "1 passed, 1 failed, 0 skipped" "a file that takes too long failed"
is "$(verdict one_skipped)" "1 passed, 0 failed, 1 skipped" "a skipped test is counted as such"
is "$(verdict all_skipped)" "0 passed, 0 failed, 1 skipped" "a skipped file is counted once"
is "$(verdict silent)" "0 passed, 1 failed, 0 skipped" "a file that says nothing failed"

"$top/tests/run" --build "$dir" --no-make "$dir/unit/bad" >"$dir/out" 2>&1
is $? 1 "the exit status says that one failed"
ok "the output of a failed file is shown" grep -q 'not ok 2 - b' "$dir/out"
"$top/tests/run" --build "$dir" --no-make "$dir/unit/one_skipped" >"$dir/out" 2>&1
is $? 0 "skips are no failure"
ok "the reason of a skip is shown" grep -q 'skipped: b # SKIP no luck' "$dir/out"
ok "all files are added up" test "$("$top/tests/run" --build "$dir" --no-make \
    "$dir/unit/good" "$dir/unit/bad" "$dir/unit/no_plan" 2>&1 | tail -n 1)" = \
    "4 passed, 2 failed, 0 skipped"

done_testing
