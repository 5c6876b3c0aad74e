#!/usr/bin/env bash
# Each fuzz target over its corpus, where every finding there ever was is kept, and over some
# thousand inputs that are made of it.
# timeout: 900
set -u
. "$(dirname "$0")/../lib/tap.sh"

here=$(cd "$(dirname "$0")" && pwd)
build=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# How many inputs, and how long they may take: enough is what fits.
inputs=2000
most_s=3

command -v clang >/dev/null || skip_all 'clang is not installed'
echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' >"$dir/t.c"
clang -fsanitize=fuzzer,address -o "$dir/t" "$dir/t.c" 2>/dev/null ||
    skip_all 'clang has no libFuzzer here: libclang-rt-dev is not installed'

make -s -C "$build" fuzz-programs >"$dir/build.log" 2>&1
is $? 0 "the targets are built"
grep -E '(error|warning):' "$dir/build.log" | head -n 20 | sed 's/^/# /'

# run_target NAME: its corpus first, then inputs made of it; what was said is in NAME.log.
run_target() {
    local program=$build/fuzz/tests/fuzz/fuzz_$1 options=(-timeout=20 -max_len=4096)
    mkdir -p "$dir/$1"
    cd "$dir/$1" || return 1
    {
        find "$here/corpus/$1" -type f -exec "$program" "${options[@]}" {} + &&
            "$program" "${options[@]}" -runs=$inputs -max_total_time=$most_s \
                -dict="$here/dict/$1.dict" "$dir/$1" "$here/corpus/$1"
    } >"$dir/$1.log" 2>&1
    echo $? >"$dir/$1.status"
}
export -f run_target
export here build dir inputs most_s UBSAN_OPTIONS=print_stacktrace=1

mapfile -t targets < <(cd "$here" && printf '%s\n' fuzz_*.c | sed 's/^fuzz_//; s/\.c$//')
printf '%s\n' "${targets[@]}" | xargs -P 2 -I{} bash -c 'run_target {}'
for target in "${targets[@]}"; do
    ok "$target has seeds and a dictionary" test -n "$(ls "$here/corpus/$target")" -a -s "$here/dict/$target.dict"
    status=$(cat "$dir/$target.status" 2>/dev/null)
    is "$status" 0 "$target keeps its promises"
    [ "$status" = 0 ] ||
        grep -vE '^#[0-9]|^INFO|^Running|^Executed|NewPC' "$dir/$target.log" | head -n 60 | sed 's/^/# /'
done
is "$(cd "$here/corpus" && printf '%s\n' *)" "$(printf '%s\n' "${targets[@]}")" "each corpus has its target"

done_testing
