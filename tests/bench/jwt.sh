# What a token of a user costs the gateway: seen for the first time, and known.
# shellcheck shell=bash
bench_jwt() {
    local alg how us
    while read -r alg how us; do
        sample "jwt: $alg, $how" "$us" us
    done < <("$build/tests/bench/jwt_verify" 0.5)
}
