# shellcheck shell=bash
# Test Anything Protocol for shell tests.
#
#   ok "what is promised" command args...      the command must succeed
#   not_ok "what is promised" command args...  the command must fail
#   is "$got" "$expected" "what is promised"
#   like "$got" "$regex" "what is promised"
#   skip "why" "what is promised"              counted as skipped
#   skip_all "why"                             the whole file; ends it
#   bail "why"                                 cannot go on: the file failed
#   done_testing                               the plan; the last line of a file

# Tests run the daemon as who they are, which in a container is root.
export PGCREW_ALLOW_ROOT=yes

tap_run=0
tap_failed=0

tap_pass() {
    tap_run=$((tap_run + 1))
    echo "ok $tap_run - $1"
}

tap_fail() {
    tap_run=$((tap_run + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_run - $1"
}

tap_say() {
    printf '%s\n' "$2" | sed "1s/^/# $1/; 2,\$s/^/#           /"
}

ok() {
    local what=$1
    shift
    if "$@"; then tap_pass "$what"; else tap_fail "$what"; fi
}

not_ok() {
    local what=$1
    shift
    if "$@"; then tap_fail "$what"; else tap_pass "$what"; fi
}

is() {
    if [ "$1" = "$2" ]; then
        tap_pass "$3"
    else
        tap_fail "$3"
        tap_say '     got: ' "$1"
        tap_say 'expected: ' "$2"
    fi
}

like() {
    if printf '%s\n' "$1" | grep -Eq -- "$2"; then
        tap_pass "$3"
    else
        tap_fail "$3"
        tap_say '     got: ' "$1"
        tap_say 'no match: ' "$2"
    fi
}

skip() {
    tap_run=$((tap_run + 1))
    echo "ok $tap_run - $2 # SKIP $1"
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

bail() {
    echo "Bail out! $1"
    exit 1
}

done_testing() {
    echo "1..$tap_run"
    [ "$tap_failed" -eq 0 ]
}
