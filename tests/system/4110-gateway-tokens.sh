#!/usr/bin/env bash
# Tokens, good and forged, over HTTP: none that is refused reaches the database.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"

gateway_database
daemon_setup
"$build/tests/unit/mint_tokens" "$daemon_dir/jwks.json" $user >"$daemon_dir/tokens" || bail 'no tokens'
gateway_start gateway.jwks_file="$daemon_dir/jwks.json"
new_batch $user 1 2
path="/api/batch_status?batch_id=$(batch 1)&job_limit=0"

n=0 good=0 before=$(asked_database)
while IFS=$'\t' read -r wanted what token; do
    call_as "$token" GET "$path"
    is "$status" "$wanted" "$what"
    n=$((n + 1))
    [ "$wanted" != 200 ] || good=$((good + 1))
done <"$daemon_dir/tokens"
ok 'these were many' test $n -ge 45 -a $good -ge 6
is $(($(asked_database) - before)) $good 'the database has heard of the good ones only'

first=$(head -n 1 "$daemon_dir/tokens" | cut -f 3)
for header in "Bearer  $first" "bearer $first"; do
    call GET "$path" -H "Authorization: $header"
    answers 200 "Authorization: ${header:0:9}..."
done
for header in "Basic $first" "$first" "Bearer" "Bearer $first,x" "Bearer x $first"; do
    call GET "$path" -H "Authorization: $header"
    answers 401 "Authorization: ${header:0:9}..."
done
call GET "$path" -H "Authorization: Bearer $first" -H 'Authorization: Bearer x.y.z'
like "$status" '^40[01]$' 'two tokens'
call GET "$path&access_token=$first" -H 'Authorization: Bearer x.y.z'
answers 401 'the header counts, not the query'
call_as "$(printf 'a%.0s' {1..9000})" GET "$path"
answers 401 'a token of 9,000 letters'

# --- keys come and go ---------------------------------------------------------------------------
rs256=$(awk -F '\t' '$2 == "RS256" { print $3 }' "$daemon_dir/tokens")
status_is() { call_as "$1" GET "$path" && [ "$status" = "$2" ]; }
jq -c '{keys: [.keys[] | select(.kid != "rsa-1")]}' "$daemon_dir/jwks.json" >"$daemon_dir/jwks.new"
cp "$daemon_dir/jwks.json" "$daemon_dir/jwks.old"
mv "$daemon_dir/jwks.new" "$daemon_dir/jwks.json"
ok 'a key that is taken out of the file counts no more' wait_for 20 status_is "$rs256" 401
is "$(call_as "$first" GET "$path"; echo "$status")" 200 'the secret still does'
echo '{"keys": [' >"$daemon_dir/jwks.bad" && mv "$daemon_dir/jwks.bad" "$daemon_dir/jwks.json"
ok 'a broken file is told' wait_for 20 logged 'the keys stay as they were'
mv "$daemon_dir/jwks.old" "$daemon_dir/jwks.json"
ok 'and a good one read' wait_for 20 status_is "$rs256" 200
not_ok 'no token is in the log' grep -q eyJ "$daemon_out"
done_testing
