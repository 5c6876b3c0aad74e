# The tool, for tests.  Needs postgres.sh (sql) and a build folder.
#
#   tool args...          run it; sets $out, $errors and $status
#   field EXPR            what jq finds in $out
#   status_is N 'what'    the exit status of the last run
#
# The tool finds the database by PGHOST and so on, and no daemon, unless a test says
# otherwise.
#
# shellcheck shell=bash
# shellcheck disable=SC2034  # variables for the tests

build=${PGCREW_BUILD:?PGCREW_BUILD must name the build folder}
unset NO_COLOR DATABASE_URL SUPABASE_DB_URL SUPABASE_URL SUPABASE_SERVICE_ROLE_KEY SUPABASE_SECRET_KEY
export TZ=UTC
PGCREW_CONTROL_SOCKET=$(mktemp -u "${TMPDIR:-/tmp}/pgcrew-no-daemon.XXXXXX")
export PGCREW_CONTROL_SOCKET

tool() {
    local said
    said=$(mktemp "${TMPDIR:-/tmp}/pgcrew-tool.XXXXXX")
    out=$("$build/pgcrew" "$@" 2>"$said")
    status=$?
    errors=$(cat "$said")
    rm -f "$said"
}

field() {
    jq -r "$1" <<<"$out"
}

status_is() {
    is "$status" "$1" "$2"
}
