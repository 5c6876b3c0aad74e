#!/usr/bin/env bash
# Failure points are for tests only; every statement and every order has them, and none of
# the table is forgotten in the code, or the other way round.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

cd "$top" || exit 1
compile() { "${CC:-cc}" -std=c17 -D_GNU_SOURCE -Isrc "$@"; }
compile -c -o "$dir/release.o" src/base/fault.c
is "$(nm "$dir/release.o")" '' 'without --enable-faults nothing is left of them'
compile -DPGCREW_FAULTS -c -o "$dir/tests.o" src/base/fault.c
like "$(nm "$dir/tests.o")" ' T fault_here$' 'with it they are there'

printf '#include "base/fault.h"\nint main(void) { fault_list(); }\n' >"$dir/list.c"
compile -DPGCREW_FAULTS -o "$dir/list" "$dir/list.c" "$dir/tests.o" || bail 'the table cannot be listed'
PGCREW_FAULT=list "$dir/list" | cut -f 1 | sort >"$dir/points"
is "$(uniq -d "$dir/points")" '' 'each has a name of its own'
is_point() { grep -qxF -- "$1" "$dir/points"; }

for file in src/queue/sql/*.sql src/db/sql/*.sql; do
    name=$(basename "$file" .sql)
    ok "the statement '$name' has failure points" is_point "${name#db_}.sent"
done

# Those of who serves have the points of what stands before the first '_' (src/db/pipeline.c).
grep -rhozP --include='*.c' 'struct statement \w+\s*=\s*\{(\.name = )?"\K\w+' src | tr '\0' '\n' | sort -u >"$dir/named"
for name in user_enqueue desk_why; do
    ok "the statement '$name' is found" grep -qx "$name" "$dir/named"
done
while read -r name; do
    case $name in pgcrew_*) of=${name#pgcrew_} ;; *) of=${name%%_*} ;; esac
    for step in sent settled; do
        ok "the statement '$name' has the failure point $of.$step" is_point "$of.$step"
    done
done <"$dir/named"

# The names of all that can be said, from the list of those who can.
orders=$(sed -n '/^enum order_what {/,/^};/s/^ *ORDER_\([A-Z]*\),.*/\L\1/p' src/ipc/order.h | grep -vx none)
like "$orders" '^stalled$' 'there are orders'
for name in $orders; do
    ok "it has the order '$name'" grep -q "\"$name\"" src/ipc/order.c
    ok "the order '$name' has failure points" is_point "$name.heard"
done

grep -rhoP --include='*.c' '(fault_here|fault_fails|latch_write|tell|tell_ready)\(.*?"\K[a-z_]+\.[a-z]+(?=")' src |
    sort -u >"$dir/passed"
is "$(grep -vxFf "$dir/points" "$dir/passed")" '' 'what the code passes is in the table'
sed -n '/ struct point points\[\]/,/^};/s/^ *{"\([a-z_.]*\)".*/\1/p' src/base/fault.c >"$dir/single"
like "$(cat "$dir/single")" '^lease\.late$' 'there are points by themselves'
is "$(grep -vxFf "$dir/passed" "$dir/single")" '' 'what is in the table is passed by the code'
done_testing
