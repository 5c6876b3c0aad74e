#!/usr/bin/env bash
# All C is formatted as .clang-format says; `make format` does it.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

command -v clang-format >/dev/null || skip_all 'clang-format is not installed'
# Other versions break lines elsewhere, and nobody can please two of them.
clang-format --version | grep -q ' version 14\.' || skip_all 'clang-format is not version 14'

cd "$top" || exit 1
mapfile -t sources < <(find src include tests -name '*.[ch]' 2>/dev/null | sort)
clang-format --dry-run -Werror "${sources[@]}" 2>"$dir/out"
is "$(sed -n 's/:[0-9:]* error: .*//p' "$dir/out" | sort -u)" "" "all C is formatted"
head -n 20 "$dir/out" | sed 's/^/# /'

cp .clang-format "$dir/"
printf 'int main (void) { return 0; }\n' >"$dir/bad.c"
not_ok "what is not is found" clang-format --dry-run -Werror "$dir/bad.c" 2>/dev/null

done_testing
