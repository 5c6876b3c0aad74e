#!/usr/bin/env bash
# Includes go only where src/rooms.txt says; and this test can fail.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# violations FOLDER: a line for each include that rooms.txt does not allow.
violations() {
    (
        cd "$1" || exit 1
        find . -name '*.[ch]' | sed 's|^\./||' | sort |
            xargs awk '
            FILENAME == rooms && /^[^#]/ {
                name = $1
                sub(/:$/, "", name)
                known[name] = 1
                for (i = 2; i <= NF; i++)
                    may[name, $i] = 1
            }
            FILENAME != rooms && FNR == 1 {
                room = FILENAME
                if (!sub(/\/.*/, "", room))
                    sub(/\.[ch]$/, "", room)
                if (!(room in known))
                    print FILENAME ": room " room " is not in rooms.txt"
            }
            FILENAME != rooms && /^[ \t]*#[ \t]*include[ \t]*"/ {
                split($0, part, "\"")
                target = part[2]
                if (!sub(/\/.*/, "", target))
                    sub(/\.h$/, "", target)
                if (target != room && !((room, target) in may))
                    print FILENAME ":" FNR ": " room " may not include " part[2]
            }
            FILENAME != rooms && /^[ \t]*#[ \t]*include[ \t]*</ {
                match($0, /<[^>]*>/)
                target = substr($0, RSTART, RLENGTH)
                if ((target in known) && !((target, room) in may))
                    print FILENAME ":" FNR ": " room " may not include " target
            }' rooms="$top/src/rooms.txt" "$top/src/rooms.txt"
    )
}

# plant FILE TEXT: what the test says of a tree with this one file.
plant() {
    rm -rf "$dir/tree"
    mkdir -p "$dir/tree/$(dirname "$1")"
    printf '%s\n' "$2" >"$dir/tree/$1"
    violations "$dir/tree"
}

is "$(violations "$top/src")" "" "every include goes where src/rooms.txt allows"

is "$(plant queue/a.c '#include "db/db.h"')" "" "an include that goes down is fine"
is "$(plant queue/a.c '#include "queue/claim.h"')" "" "so is one of the own room"
is "$(plant supervisor/a.c ' # include "db/db.h"')" \
    "supervisor/a.c:1: supervisor may not include db/db.h" "the supervisor knows no SQL"
is "$(plant worker/a.h '#include "janitor/janitor.h"')" \
    "worker/a.h:1: worker may not include janitor/janitor.h" "processes do not include each other"
is "$(plant base/a.c '#include "../config/conf.h"')" \
    "base/a.c:1: base may not include ../config/conf.h" "includes are written from src"
is "$(plant queue/a.c '#include <libpq-fe.h>')" \
    "queue/a.c:1: queue may not include <libpq-fe.h>" "libraries stay in their room"
is "$(plant attic/a.c '')" "attic/a.c: room attic is not in rooms.txt" "every room is listed"

done_testing
