# A ledger that handlers keep outside of the database, and its judge.
#
#   ledger_setup FOLDER      a ledger is there; $ledger_handler writes it: HANDLER FOLDER HOST
#   ledger_enter SQL         run it; the ids that come back are acknowledged
#   ledger_check             judge: sets ${verdict[NAME]}, see ledger/check.awk
#   ledger_begun HOST        how many attempts have begun there
#   ledger_mark              something is done to the daemons now
#   ledger_gap [HOST]        "MS": the same since the last mark, of one host or all
#   ledger_gaps              "p50 MS p99 MS max MS": how long nothing began after a mark
#
# Needs sql() of postgres.sh, or one like it.
#
# shellcheck shell=bash
# shellcheck disable=SC2034  # variables for the tests

ledger_tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/ledger" && pwd)
ledger_handler=$ledger_tools/handler.sh
declare -A verdict

ledger_setup() {
    ledger=$1
    mkdir -p "$ledger/locks"
    : >"$ledger/lines"
    : >"$ledger/entered"
    : >"$ledger/marks"
    chmod 777 "$ledger/locks"
    chmod 666 "$ledger/lines"
}

ledger_enter() {
    sql "$1" >>"$ledger/entered"
}

ledger_check() {
    local name number
    sql "select id, status, attempts, kind from public.jobs" -F ' ' >"$ledger/jobs"
    while read -r name number; do
        verdict[$name]=$number
    done < <(awk -f "$ledger_tools/check.awk" "$ledger/entered" "$ledger/jobs" "$ledger/lines")
}

ledger_mark() {
    echo "$EPOCHREALTIME" >>"$ledger/marks"
}

ledger_begun() { # HOST
    grep -c "^begin .* $1\$" "$ledger/lines"
}

ledger_gap() {
    awk -v host="${1:-}" '$1 == "begin" && (host == "" || $5 == host) { print $4 }' "$ledger/lines" | sort -n |
        awk -v since="$(tail -n 1 "$ledger/marks")" '
            before && $1 > since && $1 - before > gap { gap = $1 - before }
            { before = $1 }
            END { print int(gap * 1000) }'
}

# The longest time between two beginnings, for each stretch from a mark to the next.
ledger_gaps() {
    { sed 's/$/ mark/' "$ledger/marks"; awk '$1 == "begin" { print $4, "begin" }' "$ledger/lines"; } | sort -n |
        awk '$2 == "mark" { if (marks++) print int(gap * 1000); gap = 0; next }
             before && $1 - before > gap { gap = $1 - before }
             { before = $1 }' | sort -n |
        awk '{ gap[NR] = $1 }
             END { print "p50 " gap[int((NR + 1) / 2)] " p99 " gap[int(NR * 0.99 + 0.5)] " max " gap[NR] }'
}
