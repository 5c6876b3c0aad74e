#!/usr/bin/env bash
# What pgcrew-gateway(7) shows is true: its commands are run as they stand there.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"

page=$repo/src/gateway/pgcrew-gateway.7
# blocks REGEX: the examples that match, each ended by a line "--".
blocks() {
    awk -v wanted="$1" '
        /^\.Bd / { inside = 1; text = ""; next }
        /^\.Ed/ { if (text ~ wanted) printf "%s--\n", text; inside = 0 }
        inside { gsub(/\\e/, "\\"); text = text $0 "\n" }' "$page"
}
# each REGEX COMMAND...: run the command for each example, which is its input.
each() {
    local text='' line
    while IFS= read -r line; do
        if [ "$line" = -- ]; then
            ok "$(head -n 1 <<<"$text" | cut -c 1-70)" "${@:2}" <<<"$text"
            text=
        else
            text+=$line$'\n'
        fi
    done < <(blocks "$1")
}

gateway_database
gateway_start
export gateway batch PATH=$build:$PATH 
batch=$(batch 1)
new_batch $user 1 2
# The stream ends with the batch, which is cancelled before.
run() {
    local text
    text=$(cat)
    (
        cd "$daemon_dir" || exit 1
        token=$(pgcrew token --sub $user --config "$daemon_config" 2>/dev/null) || exit 1
        export token
        eval "set -e; ${text//pgcrew token/pgcrew token --config \"$daemon_config\"}" >said 2>errors </dev/null || { sed 's/^/# /' said errors; exit 1; }
        jq -es 'length > 0' said >/dev/null || grep -q '^event: done' said
    )
}
each 'curl ' run
ok 'these were all' test "$(blocks 'curl ' | grep -c '^curl ')" -ge 8
is "$(sql "select count(*) from public.jobs where batch_id = '$batch'")" 5 'jobs went into the batch'

# shellcheck disable=SC2317  # called by each
parses() { { echo 'async function example() {' && cat && echo '}'; } >"$daemon_dir/example.mjs" && node --check "$daemon_dir/example.mjs"; }
each '(const|await) ' parses
mapfile -t options < <(grep -oE 'gateway\.[a-z_]+[a-z]' "$page" | grep -v gateway.sock | sort -u)
ok 'options are named' test ${#options[@]} -ge 10
for option in "${options[@]}"; do
    ok "$option is one" grep -qF ".It Ic $option " "$repo/src/config/pgcrew.yaml.5"
done
done_testing
