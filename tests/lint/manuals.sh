#!/usr/bin/env bash
# mandoc finds nothing in the manual pages, and there is one for each thing a user meets.
set -u
. "$(dirname "$0")/../lib/tap.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
command -v mandoc >/dev/null || skip_all 'mandoc is not installed'

cd "$top" || exit 1
for page in pgcrew.1 pgcrewd.8 pgcrew.yaml.5 pgcrew-dashboard.7 pgcrew-exec.7 pgcrew-handler.7 pgcrew-http.7 pgcrew-module.7 pgcrew-sql.7; do
    ok "there is $page" test -n "$(find src -name "$page")"
done
mapfile -t pages < <(find src -name '*.[1-8]' | sort)
for page in "${pages[@]}"; do
    # Our own pages are not installed here: that they exist is checked below.
    is "$(mandoc -Tlint -W warning "$page" | grep -v 'referenced manual not found')" "" "$page"
done
cross_references() {
    sed -n 's/^\.Xr \(pgcrew[^ ]*\) \([1-8]\).*/\1.\2/p' "${pages[@]}" | sort -u
}
for name in $(cross_references); do
    ok "$name, to which a page refers, exists" test -n "$(find src -name "$name")"
done

done_testing
