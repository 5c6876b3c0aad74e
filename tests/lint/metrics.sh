#!/usr/bin/env bash
# The manual has all metrics, as the table has them.
#
#   metrics.sh --print    the rows for the manual
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
manual=src/dashboard/pgcrew-dashboard.7
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$top" || exit 1

cat >"$dir/list.c" <<'END'
#include <stdio.h>

#include "metrics/metrics.h"

int
main(void)
{
    static const char *const types[] = {"gauge", "counter", "histogram"};

    for (size_t i = 0; i < n_metrics; i++)
        printf("%s\t%s\t%s\t%s\n", metrics[i].name, types[metrics[i].type], metrics[i].path,
               metrics[i].help);
}
END
"${CC:-cc}" -std=c17 -D_GNU_SOURCE -Isrc -o "$dir/list" "$dir/list.c" src/metrics/table.c ||
    bail 'the table cannot be listed'

# Labels are in the steps of the path: [a,b:label,c=x], {label}, (label:a,b).
rows() {
    "$dir/list" | awk -F '\t' '
        {
            labels = ""
            n = split($3, steps, " ")
            for (i = 1; i <= n; i++) {
                kind = substr(steps[i], 1, 1)
                inside = substr(steps[i], 2, length(steps[i]) - 2)
                if (kind == "(")
                    sub(/:.*/, "", inside)
                if (kind !~ /[[{(]/)
                    continue
                m = split(inside, names, ",")
                for (k = 1; k <= m; k++) {
                    if (names[k] ~ /=/)
                        continue
                    sub(/.*:/, "", names[k])
                    labels = labels (labels == "" ? "" : ", ") names[k]
                }
            }
            printf ".It Va %s\n%s%s.\n%s\n", $1, $2, labels == "" ? "" : " by " labels, $4
        }'
}

if [ "${1:-}" = --print ]; then
    rows
    exit
fi
like "$(rows)" '^counter by queue, kind, outcome\.$' 'labels are found'
is "$(sed -n '/^\.It Va pgcrew_/,/^\.El/p' "$manual" | sed '/^\.El/d')" "$(rows)" 'the manual has the metrics of the table'
done_testing
