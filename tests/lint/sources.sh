#!/usr/bin/env bash
# Every source file is in a room.am (or tests.am), and every file named there exists:
# what is not listed is missing from the tarball.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# The words of the .am files below a folder that look like files.
listed() {
    (
        cd "$1" || exit 1
        find . -name '*.am' -not -path './build*' -exec cat {} + | sed 's/#.*//' | tr ' \t\\=' '\n' |
            grep -E '^(src|tests|migrations|conf)/[^$]*\.[a-z0-9]+$' | grep -v '\.so$' | sort -u
        # A test program without a _SOURCES line is made of the file of its name.
        find . -name tests.am -exec cat {} + | tr ' \t\\=' '\n' |
            grep -E '^tests/(unit|fuzz)/[a-z0-9_]+$' | sed 's/$/.c/' | sort -u
    ) | sort -u
}

# What must be listed; folders that are shipped whole (tests/system ...) are not.
present() {
    (
        cd "$1" || exit 1
        find src migrations tests/unit -type f \
            \( -name '*.[ch]' -o -name '*.sql' -o -name '*.[1-8]' \) 2>/dev/null | sort
    )
}

unlisted() {
    comm -23 <(present "$1") <(listed "$1")
}

missing() {
    local file
    listed "$1" | while read -r file; do
        # Made by the build: conf/x is there as conf/x.in.
        [ -e "$1/$file" ] || [ -e "$1/$file.in" ] || case $file in
            src/sqltext.[ch] | src/assets.c) ;;
            *) echo "$file" ;;
        esac
    done
}

is "$(unlisted "$top")" "" "every source is listed"
is "$(missing "$top")" "" "every listed file exists"

mkdir -p "$dir/src/base"
printf 'x_SOURCES += \\\n\tsrc/base/a.c \\\n\tsrc/base/gone.c\n' >"$dir/src/base/room.am"
touch "$dir/src/base/a.c" "$dir/src/base/new.h"
is "$(unlisted "$dir")" "src/base/new.h" "a file that is not listed is found"
is "$(missing "$dir")" "src/base/gone.c" "a listed file that is gone is found"

done_testing
