#!/usr/bin/env bash
# Everything compiles with clang, too, without a warning.
# timeout: 600
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

command -v clang >/dev/null || skip_all 'clang is not installed'

build_with_clang() {
    cd "$dir" && "$top/configure" -q --enable-werror --disable-hardening CC=clang CFLAGS=-O1 &&
        make -k -j2 test-programs
}

ok "clang finds nothing" eval '(build_with_clang) >"$dir/log" 2>&1'
grep -E 'warning:|error:' "$dir/log" | sort -u | head -n 40 | sed 's/^/# /'

done_testing
