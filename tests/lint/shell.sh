#!/usr/bin/env bash
# Our shell scripts, as shellcheck sees them.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
command -v shellcheck >/dev/null || skip_all 'shellcheck is not installed'

# Scripts by their first line, libraries by their name.
shell_files() {
    find .ci tests contrib debian conf -type f \( -name '*.sh' -o -exec \
        awk 'NR == 1 { is = /^#!.*(\/|env )(ba|da)?sh( |$)/ } END { exit !is }' {} \; \) -print 2>/dev/null | sort
}

cd "$top" || exit 1
mapfile -t files < <(shell_files)
ok "there are shell scripts" test ${#files[@]} -gt 5
for file in "${files[@]}"; do
    # SC1091: shellcheck does not follow "$(dirname "$0")/../lib"; therefore variables
    # and arguments that go there and come from there seem unused (SC2034, SC2120) or
    # never set (SC2154).
    out=$(shellcheck -f gcc -S warning -e SC1091,SC2034,SC2120,SC2154 "$file")
    is "$out" "" "$file"
done

done_testing
