#!/usr/bin/env bash
# What the gateway answers on each of its paths, to whom.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"

gateway_database
sql "insert into pgcrew.kinds (kind, max_payload_bytes, max_unfinished_per_user) values ('small', 20, 1000), ('few', 1000, 2)"
gateway_start gateway.origins=https://app.example.com gateway.body_max=64KiB gateway.service_key=sb_secret_of_the_project \
    gateway.statement_timeout=1s
token=$(mint $user)
token2=$(mint $user2)
new_batch $user 1 3
b=$(batch 1)

# --- /api/batch_status ----------------------------------------------------------------------
call_as "$token" GET "/api/batch_status?batch_id=$b"
answers 200 'a batch of the user'
is "$(field '[.batch_id, .status, .total, (.jobs | length), .percent] | @csv')" "\"$b\",\"queued\",3,3,0" 'with its counts and jobs'
like "$(header Content-Type)" '^application/json' 'as JSON'
is "$(header Cache-Control)" no-store 'that nobody keeps'
call GET "/api/batch_status?batch_id=$b&access_token=$token"
answers 200 'the token may be in the query'
call_as "$token" HEAD "/api/batch_status?batch_id=$b"
answers 200 'HEAD'
is "$body" '' 'without a body'
call_as "$token" GET "/api/batch_status?batch_id=$b&job_limit=1"
is "$(field '[(.jobs | length), .jobs_truncated] | @csv')" 1,true 'job_limit says how many jobs'
call_as "$token" GET "/api/batch_status?batch_id=$b&job_limit=0"
is "$(field '.jobs | length')" 0 'or none'
call_as "$token2" GET "/api/batch_status?batch_id=$b"
answers 404 'a batch of another user'
theirs=$body
call_as "$token2" GET "/api/batch_status?batch_id=$(batch 999)"
answers 404 'a batch that does not exist'
is "$body" "$theirs" 'which is the same to the byte'
is "$(field '[.code, .message] | @csv')" '"PT404","Job not found"' 'in the shape of PostgREST'
is "$(field 'keys | @csv')" '"code","details","hint","message"' 'with all of its members'
for id in x '' 00000000-0000-4000-8000 "$b'--" '%00' '%ff%fe' "$b%00" '{}' "$(printf 'a%.0s' {1..2000})"; do
    call_as "$token" GET "/api/batch_status?batch_id=$id"
    answers 400 "no UUID: ${id:0:40}"
done
call_as "$token" GET /api/batch_status
answers 400 'no batch_id'
for limit in -1 1001 x 1.5 99999999999999999999; do
    call_as "$token" GET "/api/batch_status?batch_id=$b&job_limit=$limit"
    answers 400 "job_limit $limit"
done
call_as "$token" POST "/api/batch_status?batch_id=$b"
answers 405 'POST is not for it'

# --- who ------------------------------------------------------------------------------------
before=$(asked_database)
call GET "/api/batch_status?batch_id=$b"
answers 401 'without a token'
is "$(header WWW-Authenticate)" Bearer 'which says what is wanted'
call_as "$token" GET "/api/batch_status?batch_id=$b" -H "apikey: $token"
answers 401 'the bearer is the apikey: nobody is signed in'
call_as sb_publishable_abc GET "/api/batch_status?batch_id=$b"
answers 401 'a publishable key'
call_as x.y.z GET "/api/batch_status?batch_id=$b"
answers 401 'no token at all'
like "$(header WWW-Authenticate)" 'error="invalid_token"' 'which says so'
call_as "$(mint $user '{"exp": 1000}')" GET "/api/batch_status?batch_id=$b"
answers 401 'an expired one'
is "$(field '[.code, .message] | @csv')" '"PGRST303","JWT expired"' 'which is told'
call_as sb_secret_of_the_project GET "/api/batch_status?batch_id=$b"
answers 403 'the service key'
call_as "$(mint $user '{"role": "service_role"}')" GET "/api/batch_status?batch_id=$b"
answers 403 'a token of service_role'
for role in '"anon"' '"postgres"' '"pgcrew_worker"' null 1 '"authenticated\u0000"' '""'; do
    call_as "$(mint $user "{\"role\": $role}")" GET "/api/batch_status?batch_id=$b"
    like "$status" '^(401|403)$' "a token of role $role"
done
for sub in '"me"' null 7 '""' '"11111111-1111-4111-8111-11111111111"'; do
    call_as "$(mint $user "{\"sub\": $sub}")" GET "/api/batch_status?batch_id=$b"
    answers 401 "a token whose sub is $sub"
done
is "$(asked_database)" "$before" 'none of them was heard of by the database'

# --- /api/jobs --------------------------------------------------------------------------------
post() { call_as "${2:-$token}" POST /api/jobs -H 'Content-Type: application/json' -d "$1"; }
post '{"kind": "mail", "payload": {"to": "a"}}'
answers 201 'a job goes in'
id=$(field '.job_ids[0]')
is "$(job "$id" "concat_ws(' ', user_id, kind, payload, batch_id)")" "$user mail {\"to\": \"a\"} $(field .batch_id)" \
    'as it was sent, of this user'
post "{\"kind\": \"mail\", \"payloads\": [1, 2.50, \"é\"], \"batch_id\": \"$(batch 7)\"}"
answers 201 'several'
is "$(field '[.total, .batch_id] | @csv')" "3,\"$(batch 7)\"" 'as one batch'
is "$(sql "select string_agg(payload::text, ' ' order by id) from public.jobs where batch_id = '$(batch 7)'")" '1 2.50 "é"' \
    'to the digit'
post '{"kind": "mail"}'
answers 201 'a payload is not needed'
for bad in '' 'x' '{' '[]' '1' 'null' '{"kind": 1}' '{}' '{"payload": 1}' '{"kind": "mail", "user_id": "x"}' \
    '{"kind": "mail", "payload": 1, "payloads": []}' '{"kind": "mail", "payloads": []}' '{"kind": "mail", "payloads": {}}' \
    '{"kind": "mail", "batch_id": "x"}' '{"kind": "mail", "batch_id": 1}' '{"kind": "mail", "payload": "\u0000"}'; do
    post "$bad"
    answers 400 "no good: $bad"
done
call_as "$token" POST /api/jobs --data-binary $'@-' < <(printf '{"kind": "mail"}\0{}')
answers 400 'nor with a NUL behind it'
post '{"kind": "other"}'
answers 403 'a kind that users may not enqueue'
is "$(field .code)" 42501 'in the words of the database'
post '{"kind": "small", "payload": "0123456789012345678901234567890"}'
answers 413 'a payload that is too large'
post '{"kind": "few", "payloads": [1, 2, 3]}' "$token2"
answers 429 'too many unfinished jobs'
like "$(header Retry-After)" '^[1-9][0-9]*$' 'and when to come again'
is "$(sql "select count(*) from public.jobs where kind in ('few', 'small')")" 0 'nothing of it is left'
head -c 70000 /dev/zero | tr '\0' ' ' >"$gateway_dir/large"
call_as "$token" POST /api/jobs --data-binary "@$gateway_dir/large"
answers 413 'a body that is too large'
call POST /api/jobs -d '{"kind": "mail"}'
answers 401 'without a token'
call_as "$token" GET /api/jobs
answers 405 'GET is not for it'

# --- /api/batches/ID/cancel ---------------------------------------------------------------------
call_as "$token2" POST "/api/batches/$b/cancel"
answers 200 'who cancels the batch of another'
is "$(jq -c . <<<"$body")" '{"cancelled":0}' 'cancels nothing'
call_as "$token" POST "/api/batches/$b/cancel"
is "$status $(jq -c . <<<"$body")" '200 {"cancelled":3}' 'the user cancels'
is "$(sql "select string_agg(distinct status, ',') from public.jobs where batch_id = '$b'")" cancelled 'all of it'
call_as "$token" POST /api/batches/x/cancel
answers 400 'no UUID'
call_as "$token" GET "/api/batches/$b/cancel"
answers 405 'GET does not cancel'
call POST "/api/batches/$b/cancel"
answers 401 'nor does nobody'

# --- /rest/v1/rpc -----------------------------------------------------------------------------
rpc() { call_as "$token" POST "/rest/v1/rpc/$1" -H 'Content-Type: application/json' -d "$2" "${@:3}"; }
rpc batch_status "{\"batch_id\": \"$b\", \"job_limit\": 2}"
answers 200 'rpc batch_status'
rpc batch_status "{\"batch_id\": \"$b\", \"job_limit\": 2}" -H 'Content-Profile: public'
answers 200 'of the schema public'
is "$(field '[.batch_id, (.jobs | length)] | @csv')" "\"$b\",2" 'as its function says it'
call_as "$token" GET "/rest/v1/rpc/batch_status?batch_id=$b&job_limit=1"
is "$status $(field '.jobs | length')" '200 1' 'by GET, too'
call_as "$token" HEAD "/rest/v1/rpc/batch_status?batch_id=$b"
answers 200 'and by HEAD'
rpc enqueue_jobs '{"kind": "mail", "payloads": [1, 2]}'
is "$status $(field .total)" '200 2' 'rpc enqueue_jobs'
rpc cancel_batch "{\"batch_id\": \"$(field .batch_id)\"}"
is "$status $body" '200 2' 'rpc cancel_batch is a number'
rpc batch_status "{\"batch_id\": \"$b\"}" -H 'Accept: application/vnd.pgrst.object+json'
like "$status $(header Content-Type)" '^200 application/vnd.pgrst.object\+json' 'as one object'
rpc batch_status "{\"batch_id\": \"$b\"}" -H 'Accept: text/csv'
is "$status $(field .code)" '406 PGRST107' 'not as CSV'
rpc batch_status "{\"batch_id\": \"$b\"}" -H 'Content-Profile: pgcrew'
is "$status $(field .code)" '406 PGRST106' 'not of another schema'
call_as "$token" GET "/rest/v1/rpc/batch_status?batch_id=$b" -H 'Accept-Profile: auth'
is "$status $(field .code)" '406 PGRST106' 'nor by GET'
rpc batch_status '{}'
is "$status $(field .code)" '404 PGRST202' 'an argument is missing'
rpc batch_status ''
is "$status $(field .code)" '404 PGRST202' 'all are'
rpc batch_status "{\"batch_id\": \"$b\", \"x\\\"\": 1}"
is "$status $(field .code)" '404 PGRST202' 'an argument too many'
rpc batch_status '[]'
is "$status $(field .code)" '404 PGRST202' 'no names at all'
rpc pg_sleep '{}'
is "$status $(field .code)" '404 PGRST202' 'another function'
rpc batch_status '{"batch_id": "x"}'
is "$status $(field .code)" '400 22P02' 'no UUID'
rpc batch_status '{'
answers 400 'no JSON'
rpc batch_status "{\"batch_id\": \"$(batch 999)\"}"
is "$status $(field .code)" '404 PT404' 'no such batch'
call_as "$token" GET "/rest/v1/rpc/cancel_batch?batch_id=$b"
is "$status $(header Allow)" '405 POST' 'what writes is a POST'
call_as "$token" GET "/rest/v1/rpc/batch_status?batch_id=%ff"
answers 400 'no UTF-8'
call POST /rest/v1/rpc/batch_status -d '{}'
answers 401 'without a token'

# --- other origins ----------------------------------------------------------------------------
preflight() { call OPTIONS "$1" -H "Origin: $2" -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers: authorization'; }
preflight /api/jobs https://app.example.com
answers 204 'a preflight'
is "$(header Access-Control-Allow-Origin)" https://app.example.com 'of a page that may'
like "$(header Access-Control-Allow-Headers)" 'authorization.*x-client-info' 'with what supabase-js sends'
is "$(header Access-Control-Max-Age)" 86400 'once a day'
is "$(header Access-Control-Allow-Credentials)" '' 'without cookies'
preflight /api/jobs https://evil.example.com
is "$status $(header Access-Control-Allow-Origin)" '204 ' 'and of one that may not'
like "$(header Vary)" '[Oo]rigin' 'which caches are told'
call_as "$token" GET "/api/batch_status?batch_id=$b" -H 'Origin: https://app.example.com'
is "$(header Access-Control-Allow-Origin)" https://app.example.com 'the answer may be read there'
like "$(header Access-Control-Expose-Headers)" 'Retry-After' 'with these headers'
call GET "/api/batch_status?batch_id=$b" -H 'Origin: https://app.example.com'
is "$status $(header Access-Control-Allow-Origin)" '401 https://app.example.com' 'errors, too'
call GET /nothing -H 'Origin: https://app.example.com'
is "$status $(header Access-Control-Allow-Origin)" '404 https://app.example.com' 'even of no path'

# --- the database has its say -------------------------------------------------------------------
sql "create or replace function public.cancel_batch(batch_id uuid) returns int language plpgsql as \$\$
       begin
         case right(batch_id::text, 1)
           when '1' then perform pg_sleep(30);
           when '2' then raise exception 'secret of the server' using errcode = 'XX000';
           when '3' then raise exception 'told' using errcode = 'PT418', detail = 'd', hint = 'h';
           when '4' then raise exception 'no disk' using errcode = '53100';
           when '5' then raise exception 'plain';
           when '6' then perform * from pgcrew.jobs_nowhere;
         end case;
         return 0;
       end \$\$"
rpc cancel_batch "{\"batch_id\": \"$(batch 1)\"}"
is "$status $(field .code)" '504 57014' 'what takes too long is ended'
rpc cancel_batch "{\"batch_id\": \"$(batch 2)\"}"
is "$status $(field .code)" '500 XX000' 'what fails in the server'
not_ok 'is not told to the user' grep -q secret <<<"$body"
ok 'but to the log' logged 'secret of the server .XX000'
rpc cancel_batch "{\"batch_id\": \"$(batch 3)\"}"
is "$status $(jq -cS . <<<"$body")" '418 {"code":"PT418","details":"d","hint":"h","message":"told"}' 'what is raised for the user is'
rpc cancel_batch "{\"batch_id\": \"$(batch 4)\"}"
is "$status $(header Retry-After)" '503 1' 'what may be over soon'
rpc cancel_batch "{\"batch_id\": \"$(batch 5)\"}"
is "$status $(field .message)" '400 plain' 'what is raised without a code'
rpc cancel_batch "{\"batch_id\": \"$(batch 6)\"}"
answers 403 'what the user may not see'
sql "alter function public.batch_status(uuid, int) volatile"
sql "create table public.notes ()" && sql 'grant all on public.notes to authenticated'
sql "create or replace function public.batch_status(batch_id uuid, job_limit int default 100) returns jsonb
     language sql as \$\$ insert into public.notes default values returning '{}'::jsonb \$\$"
call_as "$token" GET "/api/batch_status?batch_id=$b"
is "$status $(field .code)" '405 25006' 'a read cannot write'
wait_for 10 gateway_is_ready
not_ok 'no token is in the log' grep -qE 'eyJ|sb_secret' "$daemon_out"
done_testing
