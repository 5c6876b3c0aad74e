#!/usr/bin/env bash
# pgcrew token: tokens are made as OpenSSL would, looked at as the gateway would, and the
# secret goes nowhere.  pgcrew doctor --token: what is wrong with the one of a user.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/queue.sh"
. "$(dirname "$0")/../lib/tool.sh"

unset PGCREW_GATEWAY_JWT_SECRET PGCREW_GATEWAY_JWKS_FILE
secret=super-secret-jwt-token-with-at-least-32-characters-long
user=7f1f40ee-1c7a-4f1a-9d1c-0a3f1d3c5b11
b64() { base64 -w 0 | tr '+/' '-_' | tr -d =; }
unb64() { tr -- '-_' '+/' | { cat; printf '=='; } | base64 -d 2>/dev/null; }
claims_of() { cut -d . -f 2 <<<"$1" | tr -d '\n' | unb64; }
hs256() { printf '%s' "$1" | openssl dgst -sha256 -hmac "$2" -binary | b64; }
# made HEADER CLAIMS SECRET: a token of these.
made() {
    local text
    text=$(printf '%s' "$1" | b64).$(printf '%s' "$2" | b64)
    printf '%s.%s' "$text" "$(hs256 "$text" "$3")"
}
hs='{"alg":"HS256"}'
pg_start
migrate || bail 'no database'
sql 'alter role pgcrew_worker login'
export PGUSER=pgcrew_worker
dir=$pg_dir/files
mkdir "$dir"

tool token
status_is 2 'without a secret there is no token'
like "$errors" 'SUPABASE_JWT_SECRET'                    'and it is said where it would be'
SUPABASE_JWT_SECRET=short tool token
status_is 2 'a secret that is too short'
not_ok 'is not shown' grep -q short <<<"$errors"
like "$errors" '5 bytes'                                'only how short it is'

# Making.
export SUPABASE_JWT_SECRET=$secret
tool token --sub $user --email ann@example.com --for 5min
status_is 0 'a token'
is "$(wc -l <<<"$out")" 1                               'is all that is printed'
is "${out##*.}" "$(hs256 "${out%.*}" "$secret")"        'and signed as OpenSSL signs'
is "$(claims_of "$out" | jq -c '[.sub, .role, .aud, .email, .exp - .iat, .iss]')" \
    "[\"$user\",\"authenticated\",\"authenticated\",\"ann@example.com\",300,null]" 'with the claims of a user'
like "$errors" "signed in as user $user until 20"       'a note says what it is worth'
not_ok 'and the secret is nowhere' grep -q "$secret" <<<"$out$errors"
tool token
first=$(claims_of "$out" | jq -r .sub)
like "$first" '^[0-9a-f]{8}-[0-9a-f]{4}-4'              'without --sub the user is a random one'
like "$errors" "$first"                                 'which is told'
is "$(claims_of "$out" | jq '.exp - .iat')" 3600        'for an hour'
tool token
not_ok 'the next is another' test "$(claims_of "$out" | jq -r .sub)" = "$first"
tool token --role editor --claim 'app_metadata={"team": 7}' --claim 'name="Zoë"' --claim n=1 --claim n=2 --claim 'aud=["a","b"]'
is "$(claims_of "$out" | jq -c '[.role, .app_metadata, .name, .n, .aud]')" '["editor",{"team":7},"Zoë",2,["a","b"]]' \
    'any claim, the last counts'
tool token --service
is "$(claims_of "$out" | jq -c '[.role, has("sub")]')" '["service_role",false]' 'a service token has no user'
tool token --json --sub $user
is "$(claims_of "$(field .token)" | jq -cS .)" "$(field .claims | jq -cS .)" 'with --json its claims are beside it'
is "$(field '.expires_at == (.claims.exp | todate | sub("Z"; ".000Z"))')" true 'and its end'
PGCREW_GATEWAY_JWT_AUDIENCE=ours PGCREW_GATEWAY_JWT_ISSUER=https://us tool token
is "$(claims_of "$out" | jq -c '[.aud, .iss]')" '["ours","https://us"]' 'audience and issuer are those of the configuration'

for wrong in '--sub ann' '--for 5' '--for 0s' '--for 99999d' '--claim x' '--claim =1' '--claim x={' '--claim x=ann' \
    '--service --role x' '--verify - --role x' 'word'; do
    # shellcheck disable=SC2086  # several words
    tool token $wrong </dev/null
    status_is 2 "token $wrong"
done
tool token --claim "x=\"$(printf 'a%.0s' {1..7000})\""
status_is 2 'a token of more than 8 KiB'

# Looking.
token=$("$build/pgcrew" token --sub $user 2>/dev/null)
tool token --verify "$token"
status_is 0 'a token that was made is good'
like "$out" '^JWT is valid'                             'which is said'
like "$out" "\"sub\": \"$user\""                        'and its claims are shown'
tool token --verify - --json <<<"$token"
is "$(field '[.verdict, .good, .claims.sub] | join(" ")')" "good true $user" 'from standard input, too'
# refused VERDICT TOKEN 'what'
refused() {
    tool token --verify - --json <<<"$2"
    is "$status $(field '[.verdict, .good] | join(" ")')" "1 $1 false" "$3"
}
refused expired "$("$build/pgcrew" token --claim exp=1000 2>/dev/null)" 'one that has ended'
is "$(field .claims.exp)" 1000                          'which claims, is shown all the same'
refused not_yet "$("$build/pgcrew" token --claim nbf=4000000000 2>/dev/null)" 'one of the future'
refused endless "$(made "$hs" '{"sub":"a"}' "$secret")" 'one without an end'
refused bad_signature "$(made "$hs" '{"exp":4000000000}' "not $secret")" 'one of another secret'
refused no_key "$(made '{"alg":"none"}' '{"exp":4000000000}' "$secret")" 'one of no algorithm'
refused no_key "$(made '{"alg":"ES256"}' '{"exp":4000000000}' "$secret")" 'one of a key that is not there'
refused malformed "$(made '{"alg":"HS256","crit":["x"]}' '{"exp":4000000000}' "$secret")" 'one with crit'
refused malformed "$token="                             'one with padding'
refused malformed ''                                    'nothing'
refused malformed "$(head -c 20000 /dev/zero | tr '\0' a)" 'much too much'
PGCREW_GATEWAY_JWT_AUDIENCE=ours refused wrong_audience "$token" 'one for somebody else'
PGCREW_GATEWAY_JWT_ISSUER=https://us refused wrong_issuer "$token" 'one from somebody else'
tool token --verify - <<<"$(made "$hs" '{"exp":1,"x":"\u001b[31m"}' "$secret")"
not_ok 'claims do not drive the terminal' grep -q $'\e' <<<"$out"
like "$out" 'not verified claims'                       'and are called what they are'

# Keys of a file; ES256 as OpenSSL makes it: two INTEGERs of DER, which are r and s.
openssl ecparam -name prime256v1 -genkey -noout -out "$dir/key.pem" 2>/dev/null
point() { openssl ec -in "$dir/key.pem" -pubout -outform DER 2>/dev/null | tail -c 64 | "$@" | b64; }
printf '{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","x":"%s","y":"%s"}]}' \
    "$(point head -c 32)" "$(point tail -c 32)" >"$dir/jwks.json"
es256() {
    printf '%s' "$1" | openssl dgst -sha256 -sign "$dir/key.pem" | openssl asn1parse -inform DER |
        sed -n 's/.*INTEGER *:-*//p' | while read -r hex; do printf '%64s' "$hex" | tr ' ' 0; done | xxd -r -p | b64
}
text=$(printf '{"alg":"ES256","kid":"k1"}' | b64).$(printf '{"exp":4000000000,"sub":"%s"}' $user | b64)
es_token=$text.$(es256 "$text")
refused no_key "$es_token"                              'ES256 without its key'
export PGCREW_GATEWAY_JWKS_FILE=$dir/jwks.json
tool token --verify - <<<"$es_token"
status_is 0 'ES256 with a key of a JWKS file'
echo '{}' >"$dir/jwks.json"
tool token --verify - <<<"$es_token"
status_is 2 'a JWKS file that is none'
like "$errors" "$dir/jwks.json"                         'is named'
unset PGCREW_GATEWAY_JWKS_FILE

# Where the secret is.
printf '%s\n' "$secret" >"$dir/secret"
unset SUPABASE_JWT_SECRET
printf 'gateway:\n  jwt_secret: file:%s\n' "$dir/secret" >"$dir/pgcrew.yaml"
chmod 600 "$dir/pgcrew.yaml"
tool --config "$dir/pgcrew.yaml" token --verify "$token"
status_is 0 'the secret from a file that the configuration names'
rm "$dir/secret"
tool --config "$dir/pgcrew.yaml" token
status_is 2 'a file that is not there is no secret'
like "$errors" "gateway.jwt_secret: no secret 'file:$dir/secret'" 'its name is not taken for one'
is "$out" ''                                            'and nothing is made'
export SUPABASE_JWT_SECRET=$secret

# What the help shows can be done.
export PATH=$build:$PATH
mapfile -t examples < <("$build/pgcrew" help token | sed -n '/^examples:/,/^$/p' | sed -n 's/^  //p')
ok 'the help has examples' test ${#examples[@]} -ge 3
printf '%s\n' "$token" >"$dir/token"
for example in "${examples[@]}"; do
    ok "$example" bash -c "cd '$dir' && { $example; } >/dev/null 2>&1"
done

# Doctor.
# found LEVEL REGEX TOKEN 'what' [option...]
found() {
    tool doctor --json --token - "${@:5}" <<<"$3"
    is "$(field "[.checks[] | select(.check == \"token\" and .level == \"$1\" and (.finding | test(\"$2\")))] | length")" 1 "$4"
}
found ok "takes it: user $user, role 'authenticated'" "$token" 'doctor: a good token'
found error 'JWT expired' "$("$build/pgcrew" token --claim exp=1000 2>/dev/null)" 'an old one'
found error 'wrong signature' "$(made "$hs" '{"exp":4000000000,"role":"authenticated"}' "not $secret")" 'one of another project'
found error "role 'editor'.*gateway.roles" "$("$build/pgcrew" token --role editor 2>/dev/null)" 'a role that may not'
found error 'not the UUID' "$("$build/pgcrew" token --claim 'sub="user_2x"' 2>/dev/null)" 'a user that is no UUID'
found error 'anon or publishable' sb_publishable_x       'the publishable key'
found error 'anon or publishable' "$("$build/pgcrew" token --role anon 2>/dev/null)" 'the anon key'
found error 'a service key' "$("$build/pgcrew" token --service 2>/dev/null)" 'a service token'
found error 'is no token' "${token%.*}"                  'a part of a token'
SUPABASE_JWT_SECRET='' found warn "user '$user'.*cannot be checked" "$token" 'without a secret it is looked at only'
SUPABASE_JWT_SECRET='' found error 'JWT expired' "$("$build/pgcrew" token --claim exp=1000 2>/dev/null)" 'and its end'
not_ok 'no token is shown' grep -q "${token##*.}" <<<"$out$errors"
mine=$(sql "insert into public.jobs (kind, user_id) values ('mail', '$user') returning id" | head -n 1)
other=$(sql "insert into public.jobs (kind, user_id) values ('mail', gen_random_uuid()) returning id" | head -n 1)
nobody=$(sql "insert into public.jobs (kind) values ('mail') returning id" | head -n 1)
found ok "job $mine is this user's" "$token"             "a job of the user" --job "$mine"
found error "job $other is another user's" "$token"      'a job of somebody else' --job "$other"
found error "job $nobody has no user" "$token"           'a job of nobody' --job "$nobody"

done_testing
