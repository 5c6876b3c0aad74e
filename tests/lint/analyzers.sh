#!/usr/bin/env bash
# What gcc, clang, clang-tidy and cppcheck find when they look at the paths of each function.
# DEEP=1: clang looks at all of them, which takes some minutes.
# timeout: 900
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
build=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$top" || exit 1

mapfile -t sources < <(find src -name '*.c' | sort)
read -ra libraries < <(pkg-config --cflags libpq libsystemd jansson libseccomp libcurl libcrypto |
    tr -s '\n ' '  ')
flags=(-std=c17 -D_GNU_SOURCE -DPGCREW_FAULTS -DPACKAGE_VERSION='"0"' -DPGCREW_CONF_FILE='"x"'
    -Isrc -Iinclude -I"$build/src" ${libraries[@]+"${libraries[@]}"})
# Left out: vfork is meant, see guard.c; what AUTO(...) closes is a value that is used.
left_out=(-Xclang -analyzer-disable-checker -Xclang "security.insecureAPI.vfork,unix.Vfork,deadcode.DeadStores")
depth=(-Xclang -analyzer-config -Xclang mode=shallow)
[ -z "${DEEP-}" ] || depth=()

# each COMMAND...: for every source, two at a time; what they say.
each() {
    printf '%s\0' "${sources[@]}" | xargs -0 -P 2 -I{} "$@" 2>&1
}
# Not as errors of the compiler: all of them are wanted.
findings() {
    grep -E '(warning|error|performance|portability):' | sort -u | head -n 40
}

gcc_finds() { each gcc -O1 -fanalyzer "${flags[@]}" -c -o /dev/null {}; }
clang_finds() { each clang --analyze --analyzer-output text "${left_out[@]}" "${depth[@]}" "${flags[@]}" -o /dev/null {}; }
tidy_finds() { each clang-tidy --quiet {} -- "${flags[@]}"; }
cppcheck_finds() {
    local queue
    queue=$(echo '#include <sys/queue.h>' | cpp | sed -n 's/^# [0-9]* "\(.*queue\.h\)".*/\1/p' | head -n 1)
    cppcheck -j 2 -q --std=c11 --enable=warning,performance,portability --inline-suppr \
        --suppressions-list=tests/lint/cppcheck.txt --include="$queue" --include=tests/lint/cppcheck.h \
        -D_GNU_SOURCE -D__linux__ -DPGCREW_FAULTS -DPACKAGE_VERSION='"0"' -Isrc -Iinclude "$@" 2>&1
}

# has TOOL: is it there?  Else the test is skipped.
has() {
    command -v "$1" >/dev/null && return 0
    skip "$1 is not installed" "$2"
    return 1
}

ok "there are sources" test ${#sources[@]} -gt 100
is "$(gcc_finds | findings)" "" "gcc -fanalyzer finds nothing"
if has clang "clang"; then
    is "$(clang_finds | findings)" "" "clang --analyze finds nothing"
fi
if has clang-tidy "clang-tidy"; then
    is "$(tidy_finds | findings)" "" "clang-tidy finds nothing"
fi
if has cppcheck "cppcheck"; then
    is "$(cppcheck_finds src | findings)" "" "cppcheck finds nothing"
fi

# What they are there for is found.
cat >"$dir/bad.c" <<'END'
#include <stdlib.h>
#include <string.h>
int bad(int n);
int
bad(int n)
{
    char *p = malloc(10);

    if (p == NULL)
        return 0;
    memset(p, n, sizeof(p));
    free(p);
    if (n > 0)
        return p[0];
    else
        return p[0];
}
END
sources=("$dir/bad.c")
cp .clang-tidy "$dir/"
like "$(gcc_finds | findings)" 'use-after-free' "gcc finds a use after free"
! has clang "clang" || like "$(clang_finds | findings)" 'unix.Malloc' "clang finds it"
! has clang-tidy "clang-tidy" || like "$(tidy_finds | findings)" 'bugprone-branch-clone' "clang-tidy finds branches that are the same"
! has cppcheck "cppcheck" || like "$(cppcheck_finds "$dir/bad.c" | findings)" 'deallocuse|pointerSize' \
    "cppcheck finds both"

done_testing
